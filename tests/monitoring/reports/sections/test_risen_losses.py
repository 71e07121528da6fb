from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitoring.records import BaselineScore, ScoreRecord, WindowRecord
from monitoring.reports.sections.risen_losses import risen_losses

ARROW = "\N{RIGHTWARDS ARROW}"


def baseline(*watches: str, part: str = "") -> tuple[BaselineScore, ...]:
    return tuple(
        BaselineScore(level="page", watch=watch, slice=part, mean=0.2, deviation=0.01, tolerance=0.02, windows=90)
        for watch in watches
    )


def window(values: dict[str, float], *, part: str = "", rows: int = 100, day: int = 1) -> WindowRecord:
    start = datetime(2026, 5, day, tzinfo=UTC)
    scores = tuple(
        ScoreRecord(level="page", watch=watch, slice=part, rows=rows, value=value, log_evidence=0.0)
        for watch, value in values.items()
    )
    return WindowRecord(
        start=start,
        end=start + timedelta(days=1),
        rows=rows,
        labels=rows,
        labels_due=rows,
        labels_unknown=0,
        repeats=0,
        status="suspected",
        page_log_evidence=0.0,
        notice_log_evidence=0.0,
        scores=scores,
    )


def test_the_loss_that_rose_is_named_by_rows_and_what_fell_is_said() -> None:
    days = (window({"error": 0.3, "brier": 0.1}), window({"error": 0.2, "brier": 0.1}, rows=300, day=2))
    found = risen_losses(days, baseline("error", "brier", "surprise_error", "missing:x"))
    assert found == f"error rate 20.0 {ARROW} 22.5 % risen, while Brier score 0.200 {ARROW} 0.100 fell"


def test_a_slice_is_named_where_no_loss_of_all_rows_rose() -> None:
    whole, part = window({"error": 0.2}), window({"error": 0.4}, part="shop=B", day=2)
    found = risen_losses((whole, part), (*baseline("error"), *baseline("error", part="shop=B")))
    assert found == f"error rate at shop = B 20 {ARROW} 40 % risen"


def test_an_estimate_is_called_one_and_labels_of_the_same_windows_are_said() -> None:
    held = baseline("error", "estimated_error")
    assert (
        risen_losses((window({"error": 0.2, "estimated_error": 0.4}),), held)
        == f"estimated error rate 20 {ARROW} 40 %, an estimate; no loss of labelled rows rose,"
    )
    assert (
        risen_losses((window({"estimated_error": 0.4}),), held) == f"estimated error rate 20 {ARROW} 40 %, an estimate"
    )


def test_small_rises_are_called_small_and_without_any_it_is_said_of_some_rows() -> None:
    assert (
        risen_losses((window({"error": 0.21}),), baseline("error")) == f"small rises, error rate 20.0 {ARROW} 21.0 %,"
    )
    assert risen_losses((window({"error": 0.2}),), baseline("error")) == "a loss of some rows has risen beyond chance"
