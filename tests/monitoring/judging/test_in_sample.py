"""A baseline of rows that the model was fitted on is recognised by the first labelled windows, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from monitoring.judging.in_sample import IN_SAMPLE, in_sample_findings
from monitoring.records import EXPECTED_EVENT, Finding, ScoreRecord, Watch, WatchKey, WindowRecord
from tests.monitoring.judging.small_judge import day

LOSS = Watch(name="error", family="performance", level="page", needs_label=True)
SURPRISE = Watch(name="surprise_error", family="surprise", level="page", needs_label=True, scale=2.0, offset=-1.0)
WATCHES = {watch.name: watch for watch in (LOSS, SURPRISE)}
SMALL = {
    WatchKey(watch="error"): np.linspace(0.01, 0.03, 30),
    WatchKey(watch="surprise_error"): np.linspace(0.495, 0.505, 30),
}


def windows(losses: Sequence[float | None], *, surprised: float = 1.0, before: float = 0.02) -> list[WindowRecord]:
    """Windows with these errors, of whose rise so much is surprise; None for a window without labels."""
    found = []
    for at, loss in enumerate(losses):
        values = {"error": loss, "surprise_error": None if loss is None else surprised * (loss - before)}
        scores = tuple(
            ScoreRecord(level="page", watch=name, slice="", rows=300, value=value, log_evidence=0.0)
            for name, value in values.items()
        )
        window = day(at)
        found.append(
            WindowRecord(
                start=window.start,
                end=window.end,
                rows=300,
                labels=0 if loss is None else 300,
                labels_due=300,
                labels_unknown=0,
                repeats=0,
                status="ok",
                page_log_evidence=0.0,
                notice_log_evidence=0.0,
                scores=scores,
            )
        )
    return found


def messages(found: Sequence[WindowRecord]) -> list[str]:
    return [one.message for one in in_sample_findings(found, SMALL, WATCHES)]


def test_losses_far_above_the_baseline_from_the_first_label_on_look_in_sample() -> None:
    (finding,) = in_sample_findings(windows([0.18] * 7), SMALL, WATCHES)
    assert (finding.kind, finding.feature, finding.fact) == (IN_SAMPLE, "baseline", False)
    assert finding.message.startswith(
        "The baseline's scores look in-sample: error rate 2.0 % there, 18.0 % in the first 7 labelled windows, each "
        "above the worst of the baseline's 30."
    )


@pytest.mark.parametrize("count", range(1, 10))
def test_it_is_told_in_the_third_to_seventh_labelled_window(count: int) -> None:
    assert bool(messages(windows([None, None, *[0.2] * count]))) is (3 <= count <= 7)


@pytest.mark.parametrize(
    "losses",
    [
        [0.02, 0.18, 0.18, 0.18],  # a harm that begins later
        [0.031, 0.029, 0.18, 0.18],  # one window as good as the baseline's
        [0.031, 0.03, 0.031],  # hardly worse
        [0.18, 0.18, 0.18, None],  # no label today
    ],
)
def test_what_else_raises_a_loss_is_not_in_sample(losses: list[float | None]) -> None:
    assert messages(windows(losses)) == []


def test_harder_traffic_a_fact_and_an_expected_event_explain_a_loss() -> None:
    assert messages(windows([0.18] * 5, surprised=0.3)) == []
    for finding in (
        Finding(kind="out of range", feature="income", message="", fact=True),
        Finding(kind=EXPECTED_EVENT, feature="Easter", message=""),
    ):
        found = [replace(one, findings=(finding,)) for one in windows([0.18] * 5)]
        assert messages(found) == []


def test_windows_of_long_ago_are_not_the_first() -> None:
    found = windows([0.18] * 5)
    late = [replace(found[0], labels=0, start=found[0].start - timedelta(days=at + 1)) for at in range(90)]
    assert messages([*late, *found]) == []


def test_without_a_baseline_of_the_loss_nothing_is_said() -> None:
    assert in_sample_findings(windows([0.18] * 5), {}, WATCHES) == ()
