from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from monitoring.incidents.alarm import Alarm
from monitoring.incidents.harm import (
    BETTER,
    HARDER_TRAFFIC,
    NOT_CERTAIN,
    NOT_WORSE,
    assess,
    loss_watches,
    paging_watches,
)
from monitoring.records import EstimateRecord, IntervalChecks, NoticeReason, WatchKey
from monitoring.sentences.alarm_text import reason_words
from tests.monitoring.incidents.alarms import WATCHES, alarm, baseline, window, windows

#: Scores of an input that moved by many standard deviations.
MOVED = {"input__x__location": [0.9] * 4}
STILL = {"input__x__location": [0.5] * 4}
MANY = {"input__x__location": [0.9] * 40}


def test_a_loss_and_its_surprise_beyond_the_tolerance_page() -> None:
    found = alarm("brier", windows(brier=[0.2] * 4, surprise_brier=[0.05] * 4))
    assert assess(found).pages


def test_surprise_at_a_loss_no_worse_than_promised_is_a_notice() -> None:
    found = alarm("surprise_brier", windows(brier=[0.14] * 4, surprise_brier=[0.05] * 4))
    assert assess(found).reason == NOT_WORSE
    within = alarm("surprise_brier", windows(brier=[0.159] * 4, surprise_brier=[0.05] * 4))
    assert not assess(within).pages, "the tolerance is .01"


def test_a_loss_that_the_model_expected_where_inputs_moved_is_harder_traffic_and_a_notice() -> None:
    found = alarm("brier", windows(**MOVED, brier=[0.2] * 4, surprise_brier=[0.0, 0.01, -0.01, 0.002]))
    assert assess(found).reason == HARDER_TRAFFIC


@pytest.mark.parametrize(
    ("series", "reason"),
    [
        ({}, "Brier score +0.050, of which the model expected +0.050; no input moved"),
        ({"surprise_brier": [-0.05] * 4}, "Brier score +0.050, of which the model expected +0.100; inputs moved"),
        ({"calibration_slope": [0.05] * 4}, "Brier score +0.050, of which the model expected +0.050; inputs moved"),
    ],
    ids=["inputs as before", "surprise fell", "calibration moved"],
)
def test_harder_traffic_is_said_only_where_it_was_tested(series: dict[str, list[float]], reason: str) -> None:
    moved = {} if not series else MOVED
    found = alarm("brier", windows(**{**moved, "brier": [0.2] * 4, "surprise_brier": [0.0] * 4, **series}))
    known = assess(replace(found, reading=replace(found.reading, alarm=False))).reason
    assert known is not None
    assert reason_words(known) == reason
    assert assess(found).pages == ("surprise_brier" in series), (
        "a loss that rose although surprise fell is not explained"
    )


def test_a_loss_within_its_tolerance_pages_where_another_one_of_the_same_rows_is_beyond_it() -> None:
    risen = {"error": [0.205] * 4, "surprise_brier": [0.05] * 4}
    assert assess(alarm("error", windows(**risen, brier=[0.2] * 4))).pages
    assert not assess(alarm("error", windows(**risen, brier=[0.155] * 4))).pages
    harder = windows(**MOVED, error=[0.205] * 4, brier=[0.2] * 4, surprise_brier=[0.0] * 4)
    assert assess(alarm("error", harder)).reason != NOT_WORSE, "the Brier score is worse"
    assert not assess(alarm("error", harder)).pages


def test_a_material_rise_pages_whatever_explains_it() -> None:
    harder = {"surprise_brier": [0.0] * 4, **MOVED}
    found = alarm("material_brier", windows(brier=[0.26] * 4, material_brier=[0.26] * 4, **harder))
    assert assess(found).pages
    assert str(found.key) == "brier"
    within = windows(brier=[0.24] * 4, material_brier=[0.24] * 4, **harder)
    assert assess(alarm("material_brier", within)).reason == HARDER_TRAFFIC


def test_a_calibration_watch_pages_where_a_loss_is_worse_although_surprise_fell() -> None:
    """Probabilities too near the middle: they promise a larger loss than comes."""
    flattened = {"brier": [0.2] * 4, "surprise_brier": [-0.03] * 4, "calibration_slope": [0.2] * 4}
    assert assess(alarm("calibration_slope", windows(**flattened))).pages
    assert assess(alarm("calibration_slope", windows(**{**flattened, "brier": [0.155] * 4}))).reason == NOT_WORSE


def test_a_rise_that_a_month_of_the_reference_had_is_no_news() -> None:
    series = windows(brier=[0.18] * 4, surprise_brier=[0.03] * 4)
    assert assess(alarm("brier", series)).pages
    seasons = replace(baseline(), worst_months={WatchKey(watch="brier"): 0.025})
    assert assess(alarm("brier", series, against=seasons)).reason == NOT_WORSE


def test_where_nothing_is_expected_the_loss_alone_pages() -> None:
    assert assess(alarm("error", windows(error=[0.3] * 4))).pages


def test_an_estimate_waits_for_labels_where_they_come() -> None:
    found = alarm("estimated_error", windows(estimated_error=[0.1] * 4, error=[None] * 4))
    assert assess(found).pages, "no labels ever"
    assert assess(replace(found, labels_expected=True)).reason == NoticeReason(kind="no labels yet")


def test_an_estimate_within_twice_the_tolerance_is_a_notice() -> None:
    assert not assess(alarm("estimated_error", windows(estimated_error=[0.015] * 4))).pages


def test_an_estimate_is_judged_by_the_labels_that_have_come() -> None:
    found = windows(estimated_error=[0.1] * 4, error=[0.2] * 4)
    assert not assess(alarm("estimated_error", found)).pages


@pytest.mark.parametrize("top", ["missing:z", "unusable_answers"])
def test_broken_data_pages_whatever_the_loss(top: str) -> None:
    assert assess(alarm(top, windows(brier=[0.1] * 2))).pages


def test_a_rise_that_was_mostly_expected_pages_only_if_surprise_alone_is_beyond_the_tolerance() -> None:
    """The tolerance is .01: of a rise by .05, surprise of .008 is not enough; without difficulty it would be."""
    mostly = alarm("brier", windows(**MANY, brier=[0.2] * 40, surprise_brier=[0.008] * 40))
    assert assess(mostly).reason == HARDER_TRAFFIC
    alone = alarm("brier", windows(brier=[0.165] * 40, surprise_brier=[0.008] * 40))
    assert assess(alone).pages


def test_a_loss_pages_once_the_watches_that_harder_traffic_does_not_raise_alarm_too() -> None:
    found = alarm("brier", windows(brier=[0.2] * 4, surprise_brier=[0.05] * 4))
    short = replace(found, reading=replace(found.reading, alarm=False, loss_alarm=True))
    assert assess(found).pages
    assert assess(short).reason == NOT_CERTAIN
    harder = replace(short, windows=windows(**MOVED, brier=[0.2] * 4, surprise_brier=[0.001] * 4))
    assert assess(harder).reason == HARDER_TRAFFIC


def test_harder_traffic_raises_estimates_and_losses_whose_surprise_is_a_watch_too() -> None:
    whole = [WatchKey(watch=name) for name in ("brier", "surprise_brier", "estimated_error", "error", "missing:z")]
    on_slice = WatchKey(watch="brier", slice="origin=EWR")
    paging = [str(key) for key in paging_watches([*whole, on_slice], WATCHES)]
    assert paging == ["surprise_brier", "estimated_error", "error", "missing:z", "brier [origin=EWR]"]
    assert [str(key) for key in loss_watches([*whole, on_slice], WATCHES)] == ["brier", "estimated_error"]
    surprised = [*whole, on_slice, replace(on_slice, watch="surprise_brier")]
    assert on_slice not in paging_watches(surprised, WATCHES)
    assert on_slice in loss_watches(surprised, WATCHES)


def test_of_many_slices_one_needs_more_surprise_than_the_whole() -> None:
    """The slice that alarms is one of twelve: two standard errors are chance there, and enough on the whole."""
    parts = [f"origin={number}" for number in range(12)]
    known = baseline(slices=parts)
    series = {"brier": [0.18] * 4, "surprise_brier": [0.02] * 4}
    whole = alarm("brier", windows(**series), against=known)
    assert assess(whole).pages
    days = tuple(
        window(day, {f"{name}@{parts[0]}": values[day] for name, values in series.items()}) for day in range(4)
    )
    assert not assess(alarm("brier", days, against=known, part=parts[0])).pages
    much = tuple(window(day, {f"brier@{parts[0]}": 0.4, f"surprise_brier@{parts[0]}": 0.2}) for day in range(4))
    assert assess(alarm("brier", much, against=known, part=parts[0])).pages


def test_an_estimate_outside_the_reference_is_a_notice_with_the_share() -> None:
    days = windows(estimated_error=[0.1] * 4)
    inside, outside = (
        alarm("estimated_error", tuple(replace(day, estimates=(estimate(share),)) for day in days))
        for share in (0.05, 0.31)
    )
    assert assess(inside).pages
    assert assess(outside).reason == NoticeReason(kind="outside the reference", outside=0.31)


def estimate(outside: float) -> EstimateRecord:
    empty: dict[str, Any] = dict.fromkeys(["value", "low", "high", "expected", "half", "realised"])
    return EstimateRecord(
        method="calibrated",
        metric="error",
        rows=0,
        checked=0,
        trusted=True,
        interval_checks=IntervalChecks(),
        outside=outside,
        **empty,
    )


def test_a_loss_that_rose_beyond_doubt_pages_where_no_input_moved() -> None:
    """What a model's own probabilities expect is no reason, where the traffic is as it was."""
    expected = {"brier": [0.2] * 4, "surprise_brier": [0.0] * 4}
    still = alarm("brier", windows(**expected, input__x__location=[0.5] * 4))

    def with_evidence(evidence: float) -> Alarm:
        return replace(still, reading=replace(still.reading, alarm=False, loss_log_evidence=math.log(evidence)))

    assert assess(with_evidence(4.0 * still.threshold)).pages
    assert not assess(with_evidence(3.9 * still.threshold)).pages
    moved = replace(with_evidence(1e9), windows=windows(**expected, **MOVED))
    assert assess(moved).reason == HARDER_TRAFFIC
    jointly = replace(with_evidence(1e9), windows=windows(**expected, joint=[0.6] * 4))
    assert assess(jointly).reason == HARDER_TRAFFIC
    within = replace(with_evidence(1e9), windows=windows(brier=[0.155] * 4, surprise_brier=[0.0] * 4))
    assert assess(within).reason == NOT_WORSE


def test_losses_that_fell_beyond_their_tolerance_are_better_than_the_benchmark() -> None:
    better = windows(brier=[0.1] * 4, surprise_brier=[-0.05] * 4, error=[0.1] * 4, calibration_slope=[0.3] * 4)
    assert assess(alarm("calibration_slope", better)).reason == BETTER
    mixed = windows(brier=[0.1] * 4, surprise_brier=[-0.05] * 4, error=[0.205] * 4, calibration_slope=[0.3] * 4)
    assert assess(alarm("calibration_slope", mixed)).reason == NOT_WORSE


def test_while_labels_come_for_other_rows_what_answers_let_expect_is_a_notice_and_what_they_do_not_a_page() -> None:
    certain = alarm("brier", windows(**STILL, brier=[0.2] * 4, surprise_brier=[0.0, 0.01, -0.01, 0.002]))
    certain = replace(certain, reading=replace(certain.reading, loss_log_evidence=40.0))
    assert assess(certain).pages, "no input moved"
    notice = assess(replace(certain, labels_of_others=7))
    assert not notice.pages
    assert notice.reason is not None
    assert "see #7" in reason_words(notice.reason)
    wrong = alarm("brier", windows(brier=[0.2] * 4, surprise_brier=[0.05] * 4))
    assert assess(replace(wrong, labels_of_others=7)).pages
