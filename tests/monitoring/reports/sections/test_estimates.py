from __future__ import annotations

from dataclasses import replace

from monitoring.records import SCORE_ONE, EstimateRecord, IntervalChecks, MonitorStatus, RealisedLosses
from monitoring.reports.sections.estimates import realised, settled_by_window, trust_lines, trust_rows, trust_summary


def estimate(checks: IntervalChecks, method: str = "calibrated") -> EstimateRecord:
    return EstimateRecord(
        method=method,  # type: ignore[arg-type]  # a method's name
        metric="error",
        rows=100,
        value=0.2,
        low=0.1,
        high=0.3,
        checked=0,
        expected=None,
        half=None,
        realised=None,
        trusted=True,
        interval_checks=checks,
    )


def with_checks(status: MonitorStatus, *found: IntervalChecks, method: str = "calibrated") -> MonitorStatus:
    windows = tuple(
        replace(window, estimates=(estimate(checks, method),))
        for window, checks in zip(status.windows, found, strict=False)
    )
    return replace(status, windows=windows)


def test_labels_of_a_window_add_up_over_all_windows_in_which_they_arrived(status: MonitorStatus) -> None:
    first, second, third = status.windows[:3]
    one = RealisedLosses(start=first.start, rows=3, losses={"error": 2 * SCORE_ONE, "brier": SCORE_ONE})
    two = RealisedLosses(start=first.start, rows=1, losses={"error": 0, "brier": SCORE_ONE})
    found = settled_by_window(
        replace(status, windows=(replace(second, realised_losses=(one,)), replace(third, realised_losses=(two,))))
    )
    assert found == {
        first.start: RealisedLosses(start=first.start, rows=4, losses={"error": 2 * SCORE_ONE, "brier": 2 * SCORE_ONE})
    }
    assert realised(found[first.start], "error") == 0.5
    assert realised(found[first.start], "brier") == 0.5


def test_without_labels_there_is_no_realised_loss(status: MonitorStatus) -> None:
    assert realised(None, "error") is None
    assert (
        realised(RealisedLosses(start=status.windows[0].start, rows=0, losses={"error": 0, "brier": 0}), "error")
        is None
    )


def test_an_estimate_of_the_first_windows_waits_for_labels(status: MonitorStatus) -> None:
    assert trust_lines(with_checks(status, IntervalChecks())) == (
        "Estimated error rate (calibrated confidence): trusted; no labels to check it yet.",
    )


def test_all_estimates_are_one_line_on_a_terminal(status: MonitorStatus) -> None:
    assert trust_summary(with_checks(status, IntervalChecks())) == (
        "Losses estimated without labels: 1 of 1 trusted (error rate by calibrated confidence); the report has all.",
    )
    lost = with_checks(status, IntervalChecks(checks=3, misses=3, trusted=False))
    assert trust_summary(lost) == ("Losses estimated without labels: 0 of 1 trusted; the report has all.",)


def test_an_estimate_that_no_label_has_ever_checked_says_since_when(status: MonitorStatus) -> None:
    found = with_checks(status, *[IntervalChecks()] * 9)
    (row,) = trust_rows(found)
    assert (row.unchecked_since, row.unchecked_windows) == (status.windows[0].start, 9)
    (line,) = trust_lines(found)
    assert "unchecked since 1 Apr 2013 (9 windows with too few labels); no labels to check it yet." in line


def test_labels_that_stop_leave_the_estimate_unchecked_since_the_last_check(status: MonitorStatus) -> None:
    found = with_checks(status, *[IntervalChecks(checks=2)] * 9)
    windows = list(found.windows)
    windows[1] = replace(windows[1], estimates=tuple(replace(one, checked=300) for one in windows[1].estimates))
    (row,) = trust_rows(replace(found, windows=tuple(windows)))
    assert (row.unchecked_since, row.unchecked_windows) == (windows[1].end, 7)
    (row,) = trust_rows(replace(found, windows=tuple(windows[:8])))
    assert row.unchecked_since is None


def test_misses_are_counted_among_the_intervals_that_were_checked(status: MonitorStatus) -> None:
    checked = with_checks(status, IntervalChecks(checks=1, misses=0), method="threshold")
    assert trust_lines(checked) == (
        "Estimated error rate (ATC confidence threshold): trusted; 0 of 1 interval (90 %) missed the realised loss.",
    )


def test_trust_is_lost_at_the_end_of_the_window_whose_labels_decided_it(status: MonitorStatus) -> None:
    kept, lost = IntervalChecks(checks=2, misses=2), IntervalChecks(checks=3, misses=3, trusted=False)
    found = with_checks(status, kept, lost, replace(lost, checks=4))
    (row,) = trust_rows(found)
    assert (row.trusted, row.checks, row.since) == (False, 4, status.windows[1].end)
    (line,) = trust_lines(found)
    assert line.startswith("Estimated error rate (calibrated confidence): not trusted since 3 Apr 2013; 3 of 4 ")


def test_before_the_first_window_there_is_no_estimate(status: MonitorStatus) -> None:
    assert trust_rows(replace(status, windows=())) == ()
