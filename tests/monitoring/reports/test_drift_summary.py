from __future__ import annotations

from monitoring.reports import ColumnDrift, DriftSubject, DriftSummary


def column(name: str, score: float, threshold: float) -> ColumnDrift:
    return ColumnDrift(column=name, method="wasserstein", score=score, threshold=threshold, drifted=score >= threshold)


def test_drifted_columns_are_in_the_order_of_their_multiple_of_the_threshold() -> None:
    columns = (column("b", 0.2, 0.1), column("still", 0.05, 0.1), column("far", 0.9, 0.3), column("a", 0.2, 0.1))
    summary = DriftSummary(columns=columns, left_out=(), current_rows=9, reference_rows=9, quality=False)
    assert [one.column for one in summary.drifted] == ["far", "a", "b"]


def test_a_report_is_about_one_window_unless_it_says_otherwise() -> None:
    assert DriftSubject() == DriftSubject(title="One window", verdicts=())
