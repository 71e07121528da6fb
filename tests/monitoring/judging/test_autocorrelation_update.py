"""Memories are learnt from the quiet windows in the store, at their turn, and once learnt are in the evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitoring.config import load_config
from monitoring.deployment.deployment import deploy as made_ready
from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.budget import Budget
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.evidence.seasonality import Seasonality
from monitoring.evidence.sensitivity import smallest_detectable_harms
from monitoring.judging.autocorrelation_update import AutocorrelationUpdate, UpdatedTests, quiet_segments
from monitoring.judging.fit.harms import harms_of
from monitoring.records import LEVELS, IncidentRecord, Level, ScoreHistory, Watch, WatchKey
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store

BRIER = WatchKey(watch="brier")
WATCH = Watch(name="brier", family="performance", level="page", needs_label=True, scale=2.0, offset=-1.0)
FIRST = datetime(2013, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def incident(opened: int, closed: int | None) -> IncidentRecord:
    return IncidentRecord(
        number=1,
        level="page",
        state="open" if closed is None else "closed",
        opened_at=FIRST + opened * DAY,
        window_start=FIRST + (opened - 1) * DAY,
        window_end=FIRST + opened * DAY,
        watch="brier",
        slice="",
        closed_at=None if closed is None else FIRST + closed * DAY,
    )


def judged(scores: np.ndarray, *, missing: tuple[int, ...] = ()) -> ScoreHistory:
    places = np.array([at for at in range(scores.size) if at not in missing])
    return ScoreHistory(
        starts=tuple(FIRST + at * DAY for at in range(scores.size)),
        ends=tuple(FIRST + (at + 1) * DAY for at in range(scores.size)),
        scores={BRIER: (places, np.array([WATCH.value(float(scores[at])) for at in places]))},
    )


def learner(known: np.ndarray, cycles: Mapping[WatchKey, Seasonality] | None = None) -> AutocorrelationUpdate:
    test = LevelTest(
        level="page",
        budget=Budget(alarms=1, windows=365),
        tests={BRIER: ConformalTest.fit(known, tolerance=0.0)},
        shares={BRIER: 1.0},
        min_rows=1,
        seasonality=cycles or {},
    )
    return AutocorrelationUpdate(test=test, watches={"brier": WATCH}, phases=lambda start: {"week": start.weekday()})


@pytest.mark.parametrize(
    ("incidents", "found"),
    [
        ([], [0, 0, 0, 0, 0, 0]),
        ([(3, 4)], [0, 0, -1, -1, 2, 2]),
        ([(3, None)], [0, 0, -1, -1, -1, -1]),
        ([(1, 1), (5, None)], [-1, 1, 1, 1, -1, -1]),
    ],
)
def test_windows_with_an_open_incident_separate_segments(
    incidents: list[tuple[int, int | None]], found: list[int]
) -> None:
    numbers = quiet_segments(judged(np.zeros(6)), [incident(*one) for one in incidents])
    assert numbers.tolist() == found


def test_windows_of_an_incident_do_not_raise_the_autocorrelation() -> None:
    rng = np.random.default_rng(1)
    known, live = rng.normal(0.3, 0.05, 60), rng.normal(0.3, 0.05, 90)
    live[30:60] += 0.3
    taken = learner(known).estimate(judged(live), ())
    told = learner(known).estimate(judged(live), [incident(31, 60)])
    assert taken[BRIER] > 0.8
    assert told[BRIER] < 0.2
    apart = level_ar1({BRIER: known}, {BRIER: [live[:30], live[60:]]})
    assert told[BRIER] == pytest.approx(apart[BRIER], abs=1e-9)


def test_pooled_windows_have_no_score_and_seasonality_is_removed() -> None:
    rng = np.random.default_rng(2)
    known, live = rng.normal(0.3, 0.05, 60), rng.normal(0.3, 0.05, 50)
    week = tuple(0.2 * (day >= 5) for day in range(7))
    moved = live + [week[(FIRST + at * DAY).weekday()] for at in range(50)]
    missing = (3, 17)
    found = learner(known, {BRIER: Seasonality(period="week", offsets=week, gain=2.0)}).estimate(
        judged(moved, missing=missing), ()
    )
    kept = np.delete(live, missing)
    assert found[BRIER] == pytest.approx(level_ar1({BRIER: known}, {BRIER: [kept]})[BRIER], abs=1e-9)


def test_the_test_of_a_states_coefficients_is_made_once() -> None:
    test = learner(np.linspace(0.2, 0.4, 40)).test
    remembering = UpdatedTests({"page": test})
    state: dict[Level, LevelState] = {"page": LevelState(ar1={BRIER: 0.25})}
    first = remembering.at(state)["page"]
    assert first.tests[BRIER].ar1 == 0.25
    assert remembering.at(state)["page"] is first
    assert remembering.at({})["page"].tests[BRIER].ar1 == test.tests[BRIER].ar1
    assert first.tests[BRIER].with_ar1(test.tests[BRIER].ar1) == test.tests[BRIER]


def test_a_run_re_estimates_after_ten_windows_and_updates_the_sensitivity(
    deploy: Callable[[str], Path], send: Callable[..., None], days: Any
) -> None:
    folder = deploy("learning")
    send(folder, days(days=13))
    config = load_config(folder / "monitor.toml")
    deployment = made_ready(config)
    reference_fit = deployment.reference_fit
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: datetime(2013, 4, 11, 12, tzinfo=UTC))
        assert store.windows.count(1) == 10
        learnt = {}
        for level in LEVELS:
            assert LevelState.from_text(store.deployments.states(1)[level]).ar1 == {}
            one = AutocorrelationUpdate(
                test=reference_fit.tests[level], watches=reference_fit.watches, phases=deployment.plan.phases
            )
            learnt[level] = one.estimate(store.windows.scores(1, level, latest=640), ())
        before = store.deployments.sensitivity(1)
        run_due_windows(config, store, clock=lambda: datetime(2013, 4, 14, 7, tzinfo=UTC))
        for level in LEVELS:
            assert LevelState.from_text(store.deployments.states(1)[level]).ar1 == learnt[level]
        page = reference_fit.tests["page"]
        assert learnt["page"] != {key: test.ar1 for key, test in page.tests.items()}
        found = smallest_detectable_harms(
            page.with_ar1(learnt["page"]),
            reference_fit.means,
            harms_of(reference_fit),
            np.random.default_rng(0),
            log_scale=LevelState.from_text(store.deployments.states(1)["page"]).log_scale or 0.0,
        )
        assert store.deployments.sensitivity(1) == found != before
