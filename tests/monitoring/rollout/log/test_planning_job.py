"""A plan of a rollout from a traffic log: what is measured without a label, and what is promised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.records import RolloutPlan
from monitoring.rollout.decision_rules import DecisionRules, GuardRule
from monitoring.rollout.log.planning_job import make_plan
from monitoring.rollout.log.versions import Versions, find_versions
from tests.monitoring.rollout.two_bundles import NOW, SECTION, FormulaScorer, logged, two_bundles

RULES = DecisionRules(min_effect=0.05, guards=(GuardRule(name="slices", limit=0.2),))


def half_other(rows: pa.Table) -> np.ndarray:
    """Answers as the champion, but for every other row."""
    late = logged(rows)
    places = np.array([sum(map(ord, one)) % 2 for one in rows["request_id"].to_pylist()])
    return np.where(places == 1, 1.0 - late, late)


@pytest.fixture(autouse=True)
def _few_rollouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.rollout.evidence.planning.SIMULATIONS", 60)


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return find_versions(two_bundles(tmp_path))


def planned(versions: Versions, rules: DecisionRules = RULES, share: float = 1.0, seed: int = 0) -> RolloutPlan:
    rng = np.random.default_rng(seed)
    return make_plan(versions, rules, FormulaScorer(half_other), share=share, clock=lambda: NOW, rng=rng)


def test_a_plan_measures_disagreement_rows_and_delays(versions: Versions) -> None:
    plan = planned(versions)
    assert plan.rows_per_day == pytest.approx(40.0, rel=0.1)
    assert 0.3 < plan.disagreement < 0.7
    assert (plan.at, plan.coverage > 0.9) == (NOW, True)
    assert plan.label_delay_days[0] <= plan.label_delay_days[1]
    assert planned(versions, share=0.5).rows_per_day == pytest.approx(20.0, rel=0.1)


def test_days_of_the_sample_say_how_much_days_differ(versions: Versions) -> None:
    plan = planned(versions)
    assert plan.day_spread is not None
    assert 0.0 < plan.day_spread[0] < plan.day_spread[1] < 0.5
    assert plan.days_seen > 5


def test_larger_differences_are_promised_sooner_and_with_more_certainty_later(versions: Versions) -> None:
    plan = planned(versions)
    better = [one for one in plan.promises if one.verdict == "better"]
    assert [one.effect for one in plan.promises] == sorted(one.effect for one in plan.promises)
    for one in better:
        assert one.days[0] is None or one.days[1] is None or one.days[0] <= one.days[1]
    known = [one.days[0] for one in better if one.days[0] is not None]
    assert known
    assert known == sorted(known)


def test_the_same_seed_promises_the_same(versions: Versions) -> None:
    assert planned(versions) == planned(versions)


def test_a_log_without_rows_cannot_be_planned(versions: Versions) -> None:
    with pytest.raises(BadInput, match="no row"):
        planned(replace(versions, champion=9))


@pytest.mark.parametrize(
    ("key", "sticky", "keys"), [("origin", "day", 2.0), ("origin", "request", 40.0), ("user", "day", 40.0)]
)
def test_a_split_is_planned_by_the_keys_that_each_version_gets(
    tmp_path: Path, key: str, sticky: str, keys: float
) -> None:
    section = f'{SECTION}mode = "split"\nanswers_change_labels = true\nkey = "{key}"\nsticky = "{sticky}"\n'
    plan = planned(find_versions(two_bundles(tmp_path, section)), share=0.25)
    assert plan.keys_per_day == pytest.approx((0.75 * keys, 0.25 * keys), rel=0.1)
    assert plan.rows_per_day == pytest.approx(40.0, rel=0.1)
    assert [promise.verdict for promise in plan.promises][:2] == ["better", "better"]
    for promise in plan.promises:
        for days, rows in zip(promise.days, promise.rows, strict=True):
            assert (days is None) == (rows is None)
            assert days is None or rows == pytest.approx(keys * (days - 7.0), rel=0.1)
