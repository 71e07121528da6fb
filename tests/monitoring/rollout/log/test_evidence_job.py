"""Evidence by windows that are mature, and what stands against it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.records import LabelSample
from monitoring.rollout.decision_rules import rules_of
from monitoring.rollout.evidence.assignment import position
from monitoring.rollout.log.evidence_job import (
    ChosenByHash,
    CountedWindow,
    answers_folder,
    due_windows,
    measures_of,
    plan_of,
    share_obstacles,
)
from monitoring.rollout.log.versions import find_versions
from monitoring.traffic.windows import Window
from tests.monitoring.rollout.test_evaluation import windows
from tests.monitoring.rollout.two_bundles import two_bundles

DAY = Window(start=datetime(2013, 4, 5, tzinfo=UTC), end=datetime(2013, 4, 6, tzinfo=UTC))
SECTION = """
[rollout]
[rollout.decide]
loss = "brier"
min_effect = 0.01
require = "not worse"
wrong = "1 in 50"
guards = ["slices <= 0.1", "errors"]
horizon = "2d"
"""


def test_a_config_says_what_decides(tmp_path: Path) -> None:
    config = two_bundles(tmp_path, SECTION)
    rules = rules_of(config)
    assert (rules.loss, rules.min_effect, rules.require, rules.wrong) == ("brier", 0.01, "not worse", 0.02)
    assert rules.horizon == timedelta(days=2)
    assert rules.limit("slices", 1.0) == 0.1
    measures = measures_of(find_versions(config), rules, 0.5)
    assert measures.slice_names == ("origin=EWR", "origin=JFK")
    assert (measures.loss, measures.scale, measures.guards) == ("brier", 0.5, frozenset({"errors"}))
    assert plan_of(config).every == "1d"


def test_rows_are_chosen_by_their_ids(tmp_path: Path) -> None:
    ids = pa.array([f"r{place}:0" for place in range(200)])
    mask = ChosenByHash("salt", 0.3)(ids, np.zeros(200, np.int64))
    assert mask.tolist() == [position("salt", one) < 0.3 for one in ids.to_pylist()]


def test_windows_are_mature_when_their_labels_are_due() -> None:
    week = timedelta(days=7)
    (due,) = due_windows([DAY], week, DAY.end + week)
    assert (due.window, due.known_by, due.horizon) == (DAY, DAY.end + week, None)
    assert due_windows([DAY], week, DAY.end + week - timedelta(seconds=1)) == []


def test_windows_whose_labels_were_asked_for_wait_and_later_ones_wait_for_them() -> None:
    day, week = timedelta(days=1), timedelta(days=7)
    days = [Window(start=DAY.start + day * place, end=DAY.end + day * place) for place in range(3)]
    asked = LabelSample(start=days[1].start, end=days[1].end, salt="a", probability=0.5, due=DAY.start + 30 * day)
    assert [one.window for one in due_windows(days, week, DAY.end + 20 * day, [asked])] == days[:1]
    found = due_windows(days, week, asked.due, [asked])
    assert [one.window for one in found] == days
    assert (found[1].sample, found[1].known_by, found[1].horizon) == (asked, asked.due, 29 * day)


def test_where_labels_are_asked_for_other_windows_wait() -> None:
    asked = LabelSample(start=DAY.start, end=DAY.end, salt="a", probability=0.5, due=DAY.end)
    later = Window(start=DAY.end, end=DAY.end + timedelta(days=1))
    years = DAY.end + timedelta(days=1_000)
    assert [one.window for one in due_windows([DAY, later], timedelta(), years, [asked], only_sampled=True)] == [DAY]


@pytest.mark.parametrize(("chosen", "stands"), [(1_000, False), (1_052, False), (1_053, True)])
def test_too_small_a_share_of_the_planned_rows_is_an_obstacle(chosen: int, stands: bool) -> None:
    (window,) = windows(0.0, days=1)
    found = share_obstacles([CountedWindow(evidence=window, chosen=chosen, logged=2_000)])
    assert bool(found) == stands
    assert share_obstacles([]) == []


def test_answers_are_kept_by_version_and_by_what_it_is(tmp_path: Path) -> None:
    config = two_bundles(tmp_path)
    folder = answers_folder(config, find_versions(config), "0123456789abcdef")
    assert folder == tmp_path / "rollouts/flights/2-0123456789ab"
