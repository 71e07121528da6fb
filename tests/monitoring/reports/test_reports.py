from __future__ import annotations

import csv
import io
import math
from datetime import datetime, timedelta, timezone

import pytest

from monitoring.reports import ColumnDrift, DriftSubject, DriftSummary, WatchVerdict
from monitoring.reports.results_table import csv_lines
from monitoring.reports.verdict_metric import LARGEST, verdict_metadata, verdict_metrics


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_a_formula(first: str) -> None:
    text = f'{first}HYPERLINK("http://evil.example","x")'
    rows = list(csv.reader(io.StringIO("".join(csv_lines([text], [[text]])), newline="")))
    assert rows == [[f"'{text}"], [f"'{text}"]]


def test_numbers_are_whole_and_times_in_utc() -> None:
    moment = datetime(2026, 3, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert "".join(csv_lines("abcd", [[-0.1, 7, moment, None]])) == "a,b,c,d\r\n-0.1,7,2026-03-01T00:00:00+00:00,\r\n"


def test_a_long_file_comes_in_parts() -> None:
    parts = list(csv_lines(["a"], ([place] for place in range(100_000))))
    assert len(parts) > 5
    assert "".join(parts).splitlines()[1:] == [str(place) for place in range(100_000)]


def column(name: str, score: float, threshold: float) -> ColumnDrift:
    return ColumnDrift(column=name, method="wasserstein", score=score, threshold=threshold, drifted=score >= threshold)


def test_drifted_columns_are_in_the_order_of_their_multiple_of_the_threshold() -> None:
    columns = (column("b", 0.2, 0.1), column("still", 0.05, 0.1), column("far", 0.9, 0.3), column("a", 0.2, 0.1))
    summary = DriftSummary(columns=columns, left_out=(), current_rows=9, reference_rows=9, quality=False)
    assert [one.column for one in summary.drifted] == ["far", "a", "b"]


def test_a_report_is_about_one_window_unless_it_says_otherwise() -> None:
    assert DriftSubject() == DriftSubject(title="One window", verdicts=())


VERDICTS = (
    WatchVerdict(name="Page level, all watches", evidence=math.inf, threshold=365.0),
    WatchVerdict(name="Error rate </script>", evidence=2.0),
)


def test_evidence_is_finite_and_its_name_holds_no_html() -> None:
    found = verdict_metadata(VERDICTS)
    assert list(found["evidence"].values()) == [LARGEST, 2.0]
    assert list(found["threshold"].values()) == [365.0, None]
    assert not any("<" in name for name in found["evidence"])


def test_only_a_level_has_a_test_and_the_value_is_no_part_of_a_metric() -> None:
    level, alone = verdict_metrics(VERDICTS)
    assert (len(level.tests), len(alone.tests)) == (1, 0)
    assert "365" not in level.watch
    assert "evidence" not in level.dict()
    assert "threshold" not in level.dict()


def test_without_verdicts_there_are_no_metrics() -> None:
    assert verdict_metrics(()) == []
