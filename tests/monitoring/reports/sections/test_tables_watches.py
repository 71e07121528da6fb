from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring.records import MonitorStatus
from monitoring.reports.sections.tables import watch_rows


def test_pages_come_first_and_within_a_level_the_largest_share(status: MonitorStatus) -> None:
    rows = watch_rows(status)
    assert [row.level for row in rows] == sorted((row.level for row in rows), reverse=True)
    pages = [row.share for row in rows if row.level == "page"]
    assert pages == sorted(pages, reverse=True)


def test_the_shares_of_a_level_add_up_to_one(status: MonitorStatus) -> None:
    rows = watch_rows(status)
    for level in ("page", "notice"):
        assert sum(row.share for row in rows if row.level == level) == pytest.approx(1.0)


def test_a_row_has_baseline_latest_score_and_evidence(status: MonitorStatus) -> None:
    row = next(row for row in watch_rows(status) if (row.name, row.slice) == ("Error rate", "all traffic"))
    assert row.baseline == "19.9 % ± 7.0 points"
    assert row.latest.endswith(" %")
    assert row.evidence.endswith("10¹¹") or row.evidence.endswith("10¹²")


def test_a_cycle_is_named_with_the_baseline(status: MonitorStatus) -> None:
    seasonal = tuple(
        replace(score, cycle="week", gain=1.25) if score.watch == "output:late" else score for score in status.baseline
    )
    row = next(row for row in watch_rows(replace(status, baseline=seasonal)) if "class late" in row.name)
    assert row.baseline == ("21.4 % ± 6.0 points after removing the weekly cycle (signal to noise 1.2 times higher)")


def test_before_the_first_window_there_is_only_the_baseline(status: MonitorStatus) -> None:
    rows = watch_rows(replace(status, windows=()))
    assert len(rows) == len(status.baseline)
    assert {(row.evidence, row.share) for row in rows} == {("0", 0.0)}


def test_a_watch_without_a_latest_score_keeps_the_last_one(status: MonitorStatus) -> None:
    thin = replace(status.windows[-1], scores=tuple(replace(s, value=None) for s in status.windows[-1].scores))
    kept = replace(status, windows=(*status.windows[:-1], thin))
    brier = next(score.value for score in status.windows[-2].scores if score.watch == "brier" and not score.slice)
    row = next(row for row in watch_rows(kept) if (row.name, row.slice) == ("Brier score", "all traffic"))
    assert row.latest == f"{brier:.3f}"
