"""An improvement that lasts is a finding; chance, a short one and a small one are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from monitoring.judging.in_sample import (
    GROSS_SCORES,
    IMPROVED,
    LASTING_WINDOWS,
    LEAST_SCORED,
    Floats,
    improvement_findings,
)
from monitoring.records import WatchKey
from monitoring.sentences.finding_text import finding_text
from monitoring.sentences.incident_text import incident_text
from monitoring.tasks.task import NO_LABEL
from tests.monitoring.incidents.alarms import baseline, windows
from tests.monitoring.judging.small_judge import BASELINE_DAYS, rows_of_days, small_judge

#: The test baseline's error rate is 20 %, with a standard deviation of 2 points between its 60 windows.
BASELINE = baseline()


def messages(errors: Sequence[float | None], means: Mapping[WatchKey, Floats] | None = None) -> list[str]:
    found = improvement_findings(windows(error=errors), BASELINE, means or {})
    assert {one.kind for one in found} <= {IMPROVED}
    assert all(one.fact for one in found)
    return [finding_text(one) for one in found]


def test_four_weeks_below_the_benchmark_are_told_in_the_metric() -> None:
    (message,) = messages([0.2] * 10 + [0.15] * LASTING_WINDOWS)
    assert message.startswith(
        "Error rate 20.0 \N{RIGHTWARDS ARROW} 15.0 % over the last 28 windows (2,800 rows): better than the benchmark."
    )
    assert "`pitfalls monitor rebaseline`" in message


@pytest.mark.parametrize(
    "errors",
    [
        [0.15] * (LASTING_WINDOWS - 1),
        [0.2] * 5 + [0.25] * LASTING_WINDOWS,
        [0.2] * 5 + [0.192] * LASTING_WINDOWS,
        [0.2] * 20 + [0.1] * 3,
    ],
    ids=["too few windows", "worse", "within the tolerance", "too short"],
)
def test_anything_else_is_none(errors: list[float]) -> None:
    assert not messages(errors)


def test_windows_that_follow_each_other_closely_need_a_larger_fall() -> None:
    slow = np.sin(np.arange(60) / 8.0)
    fall = [0.175] * LASTING_WINDOWS
    assert messages(fall)
    assert not messages(fall, {WatchKey(watch="error"): slow})


def test_quiet_windows_are_hardly_ever_an_improvement() -> None:
    rng = np.random.default_rng(3)
    runs = rng.normal(0.2, 0.02, size=(300, LASTING_WINDOWS))
    assert sum(bool(messages(run.tolist())) for run in runs) <= 1
    thin = rng.normal(0.2, 0.05, size=(300, LASTING_WINDOWS))  # of fewer rows than the windows of the baseline
    scored = [[value if day % 2 else None for day, value in enumerate(run.tolist())] for run in thin]
    assert sum(bool(messages(run)) for run in scored) <= 1


def test_windows_of_few_labels_that_are_pooled_have_no_score_and_hide_no_improvement() -> None:
    pooled: list[float | None] = [0.15 if day % 2 else None for day in range(LASTING_WINDOWS)]
    (message,) = messages(pooled)
    assert "15.0 % over the last 28 windows (1,400 rows)" in message
    few: list[float | None] = [0.15 if day < LEAST_SCORED - 1 else None for day in range(LASTING_WINDOWS)]
    assert not messages(few)


MEANS = {WatchKey(watch="error"): np.linspace(0.16, 0.24, 60)}


def test_a_loss_of_which_next_to_nothing_is_left_is_told_before_four_weeks() -> None:
    (message,) = messages([0.2] * 3 + [0.0] * GROSS_SCORES, MEANS)
    assert message.startswith(
        "Error rate 20 \N{RIGHTWARDS ARROW} 0 % in the last 7 windows with a score (700 rows), 16.0 % in the best "
        "window of the baseline: better than the benchmark. Check that labels are whole, and no copies of the answers"
    )


@pytest.mark.parametrize(
    ("errors", "lowest"),
    [([0.0] * 6, 0.16), ([*[0.0] * 6, 0.02], 0.16), ([0.0] * 7, 0.0), ([0.02] * 7, 0.16)],
    ids=["too short", "one is not as low", "rare errors", "not as low"],
)
def test_any_other_fall_waits_for_four_weeks(errors: list[float], lowest: float) -> None:
    assert not messages([0.2] * 3 + errors, {WatchKey(watch="error"): np.linspace(lowest, 0.24, 60)})


def test_labels_that_copy_the_answers_are_a_notice_and_one_that_a_person_closes_does_not_come_back() -> None:
    rows, small = rows_of_days(BASELINE_DAYS, 30, seed=5), small_judge()
    copies = rows.probabilities.argmax(axis=1)
    rows = replace(rows, labels=np.where(rows.labels == NO_LABEL, NO_LABEL, copies))
    traffic = [small.traffic(rows, BASELINE_DAYS + day) for day in range(30)]
    found = small.run(traffic[:20])
    notice = next(one for one in found[-1].state.incidents if incident_text(one).cause == IMPROVED)
    assert (notice.level, notice.opened_at) == ("notice", found[GROSS_SCORES - 1].window.end)
    assert found[-1].window.status == "notice"
    closed = replace(notice.entered("closed", found[-1].window.end), closed_from="open")
    others = tuple(one for one in found[-1].state.incidents if one is not notice)
    after = small.run(traffic[20:], replace(found[-1].state, incidents=(*others, closed)))
    assert not any(incident_text(one).cause == IMPROVED for one in after[-1].state.incidents)
    assert any(one.kind == IMPROVED and not one.fact for one in after[-1].window.findings)


@pytest.mark.parametrize("seed", [5, 6])
def test_a_model_that_becomes_better_is_never_suspected(seed: int) -> None:
    rows, small = rows_of_days(BASELINE_DAYS, 30, seed=seed), small_judge()
    right = (np.random.default_rng(seed).random(len(rows)) < 0.5) & (rows.labels != NO_LABEL)
    rows = replace(rows, labels=np.where(right, rows.probabilities.argmax(axis=1), rows.labels))
    found = small.run([small.traffic(rows, BASELINE_DAYS + day) for day in range(30)])
    assert any(one.state.incidents for one in found), "a notice is open, of which losses are the group"
    assert "suspected" not in [one.window.status for one in found]


def test_a_baseline_of_sound_days_is_no_improvement() -> None:
    rows, small = rows_of_days(BASELINE_DAYS, 60, seed=7), small_judge()
    found = small.run([small.traffic(rows, BASELINE_DAYS + day) for day in range(60)])
    assert not any(one.kind == IMPROVED for judgement in found for one in judgement.window.findings)
