"""What a budget of labels promises, and what it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.config import MonitorConfig, load_config, settings_digest
from monitoring.config.sections import LabelsSection
from monitoring.deployment.deployment import Deployment, deploy
from monitoring.judging.fit.reference_fit import FEW_LABELS
from monitoring.onboarding.label_promise import label_promise_notes, label_promises
from monitoring.onboarding.smallest_harm import sensitivity_of
from tests.own_table import watch


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> MonitorConfig:
    return load_config(watch(tmp_path_factory.mktemp("own"), min_rows=60).adopted.config)


@pytest.fixture(scope="module")
def plain(config: MonitorConfig) -> Deployment:
    return deploy(config)


@pytest.fixture(scope="module")
def budgeted(config: MonitorConfig) -> Deployment:
    return deploy(_with(config, "50 per week"))


def _with(config: MonitorConfig, budget: str) -> MonitorConfig:
    return config.model_copy(update={"labels": LabelsSection(budget=budget)})


def test_larger_harm_and_more_labels_are_told_sooner(config: MonitorConfig, budgeted: Deployment) -> None:
    few, many = (
        [each.weeks for each in label_promises(_with(config, budget), budgeted)]
        for budget in ("50 per week", "100 per day")
    )
    assert len(few) == 3
    few_weeks, many_weeks = ([weeks or 99 for weeks in each] for each in (few, many))
    assert few_weeks == sorted(few_weeks, reverse=True)
    assert all(more <= less for more, less in zip(many_weeks, few_weeks, strict=True))
    assert many_weeks[-1] < few_weeks[-1]


def test_it_is_said_in_words(config: MonitorConfig, budgeted: Deployment) -> None:
    (note,) = label_promise_notes(_with(config, "50 per week"), budgeted)
    assert note.startswith("At 50 per week, a lasting rise of the error rate is told in 9 of 10 simulated cases: +5.0 ")
    assert " +20.0 points after " in note
    assert note.endswith("; not counting how long labels take.")


def test_without_a_budget_nothing_is_promised_and_nothing_changes(config: MonitorConfig, plain: Deployment) -> None:
    assert label_promises(config, plain) == ()
    assert label_promise_notes(config, plain) == ()
    assert not plain.reference_fit.few_labels
    assert plain.reference_fit.tests["page"].min_rows == 60
    assert sensitivity_of(plain.reference_fit)


def test_with_a_budget_what_needs_labels_is_tested_from_fewer_of_them_on(
    config: MonitorConfig, plain: Deployment, budgeted: Deployment
) -> None:
    before, after = (deployment.reference_fit for deployment in (plain, budgeted))
    for level, test in after.tests.items():
        for key in test.tests:
            needed = before.tests[level].rows_needed(key)
            labelled = after.watches[key.watch].needs_label
            assert test.rows_needed(key) == (min(needed, FEW_LABELS) if labelled else needed), key
        assert test.tests == before.tests[level].tests
    assert not sensitivity_of(after), "it would be that of as many labels as the reference has"
    digests = [settings_digest(each) for each in (config, _with(config, "50 per week"), _with(config, "9 per day"))]
    assert digests[0] != digests[1]
    assert digests[1] == digests[2], "another budget goes on with the evidence"


def test_init_says_it(tmp_path: Path) -> None:
    adopted = watch(tmp_path, settings={"labels": {"budget": "50 per week"}}).adopted
    assert any(note.startswith("At 50 per week,") for note in adopted.notes)
    assert not any(note.startswith("Smallest rise detected") for note in adopted.notes)
    assert load_config(adopted.config).labels.budget == "50 per week"
