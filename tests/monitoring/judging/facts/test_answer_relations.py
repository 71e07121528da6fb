"""Answers that do not depend on an input any more, do not depend on any, or fall where they rose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import fit_bins
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.judging.facts.answer_relations import (
    INDEPENDENT,
    INDEPENDENT_OF_INPUT,
    REVERSED,
    AnswerRelation,
    fit_relations,
    relation_findings,
)
from monitoring.records import Finding
from monitoring.sentences.finding_text import finding_text
from monitoring.tasks.task import NO_LABEL
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import CalendarPlan

FIRST, DAY_US = as_microseconds(datetime(2026, 1, 5, tzinfo=UTC)), 86_400_000_000
SPEC = BaselineSpec(
    classes=("no", "yes"),
    features=(
        FeatureSpec(name="age", kind="number"),
        FeatureSpec(name="branch", kind="category"),
        FeatureSpec(name="noise", kind="number"),
    ),
)
BRANCHES = ("web", "shop", "phone")
ALPHA = 1e-6


def rows(seed: int, days: int, a_day: int = 150, *, age: float = 45.0) -> Predictions:
    """Scores that rise with age and are lower in shops; one age in twenty is missing, and ages are whole numbers."""
    rng = np.random.default_rng(seed)
    count = days * a_day
    ages = np.rint(rng.normal(age, 12.0, count))
    branch = rng.choice(BRANCHES, count, p=[0.5, 0.3, 0.2])
    weather = np.repeat(rng.normal(0.0, 0.3, days), a_day)
    score = 1.0 / (
        1.0 + np.exp(-((ages - 45.0) / 9.0 - 2.5 * (branch == "shop") + weather + rng.normal(0, 0.5, count)))
    )
    ages[rng.random(count) < 0.05] = np.nan
    features = {"age": ages, "branch": pa.array(branch.tolist(), pa.string()), "noise": rng.normal(size=count)}
    return Predictions(
        ids=pa.array([f"{seed}-{number}" for number in range(count)], pa.string()),
        event_times=FIRST + np.arange(count) * (DAY_US // a_day),
        features=pa.table(features),
        probabilities=np.stack([1.0 - score, score], axis=1),
        labels=np.full(count, NO_LABEL),
        label_times=np.zeros(count, dtype=np.int64),
    )


def fitted(table: Predictions) -> tuple[AnswerRelation, ...]:
    bins = fit_bins(table, SPEC)
    baseline = Baseline(spec=SPEC, bins=bins, profile=profile(table, bins), rows=InMemoryReference(table))
    return fit_relations(baseline, SPEC.task, CalendarPlan(every="1d", min_rows=20))


RELATIONS = fitted(rows(0, 40))


def told(window: Predictions, *, known: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    scores = SPEC.task.outputs(window.probabilities)
    return relation_findings(RELATIONS, window, scores, told=known, alpha=ALPHA)


def exchanged(window: Predictions, name: str) -> Predictions:
    """The same rows, an input of which is that of other rows."""
    order = np.random.default_rng(9).permutation(len(window))
    place = window.features.column_names.index(name)
    return replace(
        window, features=window.features.set_column(place, name, window.features[name].take(pa.array(order)))
    )


def scored(window: Predictions, score: np.ndarray) -> Predictions:
    return replace(window, probabilities=np.stack([1.0 - score, score], axis=1))


def test_inputs_that_explain_the_answers_are_judged_the_strongest_first() -> None:
    assert [relation.bins.feature for relation in RELATIONS] == ["age", "branch"]
    assert all(relation.weakest > 0.8 for relation in RELATIONS)


@given(seed=st.integers(1, 10_000), count=st.integers(20, 500), age=st.sampled_from([30.0, 45.0, 70.0]))
@settings(max_examples=30, deadline=None)
def test_a_sound_window_has_none_also_of_other_people(seed: int, count: int, age: float) -> None:
    assert told(rows(seed, 1, count, age=age)) == ()


@pytest.mark.parametrize("name", ["age", "branch"])
def test_an_input_of_other_rows_is_named(name: str) -> None:
    (fact,) = told(exchanged(rows(1, 1, 500), name))
    assert (fact.kind, fact.feature, fact.fact) == (INDEPENDENT_OF_INPUT, name, True)
    assert finding_text(fact).startswith(f"Answers do not depend on {name} any more: check that {name} and answers ")
    assert told(exchanged(rows(1, 1, 500), name), known=(name,)) == ()


def test_answers_of_other_rows_are_told_once_and_reversed_ones_are_called_so() -> None:
    window = rows(2, 1, 500)
    score = window.probabilities[:, 1]
    (other,) = told(scored(window, np.random.default_rng(5).permutation(score)))
    (turned,) = told(scored(window, 1.0 - score))
    assert [(fact.kind, fact.feature) for fact in (other, turned)] == [
        (INDEPENDENT, "model answers"),
        (REVERSED, "model answers"),
    ]
    assert "check to which rows answers belong" in finding_text(other)
    assert finding_text(turned).startswith("Answers fall where they rose with the inputs: check their sign, or ")
    assert " in the two groups of age that had " in finding_text(turned)


def test_few_rows_one_value_and_an_absent_column_say_nothing() -> None:
    few, window = exchanged(rows(3, 1, 12), "age"), rows(3, 1, 300)
    turned = scored(window, window.probabilities[:, 0])
    one_age = turned.features.set_column(0, "age", pa.array(np.full(300, 45.0)))
    assert told(few) == ()
    assert told(scored(window, np.full(300, 0.3))) == ()
    assert told(replace(turned, features=turned.features.drop_columns(["age", "branch"]))) == ()
    assert [fact.feature for fact in told(replace(turned, features=one_age))] == ["branch"]


def test_a_short_baseline_and_answers_that_no_input_explains_have_no_relation() -> None:
    assert fitted(rows(4, 5)) == ()
    table = rows(4, 40)
    assert fitted(scored(table, np.random.default_rng(1).random(len(table)))) == ()


def test_two_of_three_classes_that_are_exchanged_are_named() -> None:
    spec = replace(SPEC, classes=("fine", "late", "lost"))

    def three(table: Predictions) -> Predictions:
        late = table.probabilities[:, 1] * 0.6
        lost = table.probabilities[:, 0] * 0.3
        return replace(table, probabilities=np.stack([1.0 - late - lost, late, lost], axis=1))

    table = three(rows(0, 40))
    bins = fit_bins(table, spec)
    baseline = Baseline(spec=spec, bins=bins, profile=profile(table, bins), rows=InMemoryReference(table))
    relations = fit_relations(baseline, spec.task, CalendarPlan(every="1d", min_rows=20))
    window = three(rows(3, 1, 400))
    for order, said in (((0, 1, 2), None), ((0, 2, 1), "Answers of late and lost look exchanged: ")):
        scores = spec.task.outputs(window.probabilities[:, order])
        found = relation_findings(relations, window, scores, told=(), alpha=ALPHA)
        assert [finding_text(fact)[: len(said or "")] for fact in found] == ([] if said is None else [said])


def test_answers_that_go_with_an_input_beside_another_are_not_told_where_both_go_together() -> None:
    """Age has the effect that it had, and shops have the old: then scores hardly rise with age."""
    rng = np.random.default_rng(9)
    window = rows(8, 2)
    ages = rng.normal(45.0, 12.0, len(window))
    branch = np.where(ages + rng.normal(0.0, 0.5, ages.size) > 45.0, "shop", "web")
    odds = (ages - 45.0) / 9.0 - 2.5 * (branch == "shop") + rng.normal(0.0, 0.5, ages.size)
    score = 1.0 / (1.0 + np.exp(-odds))
    features = pa.table({"age": ages, "branch": pa.array(branch.tolist()), "noise": rng.normal(size=ages.size)})
    together = replace(window, features=features, probabilities=np.stack([1.0 - score, score], axis=1))
    scores = SPEC.task.outputs(together.probabilities)
    assert all(each.lost(features, scores[each.output], ALPHA) is not None for each in RELATIONS), "each by itself"
    assert not told(together)
