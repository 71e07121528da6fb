"""What follows from the replicates of a fault."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitoring.records import DrillRecord, DrillRun, FaultResult, Level

PAGE = DrillRun(replicate=0, column="temp", level="page", delay=1, cause="out of range", named="temp")
NOTICE = DrillRun(replicate=1, column="temp", level="notice", delay=3, cause="temp rose", named="wind")
MISSED = DrillRun(replicate=2, column="temp")


def result(*runs: DrillRun, level: Level = "page", promised: bool = True) -> FaultResult:
    return FaultResult(fault="unit", title="", what="", touches="inputs", level=level, promised=promised, runs=runs)


def test_a_page_tells_at_either_level_and_a_notice_at_its_own() -> None:
    page, notice = result(PAGE, NOTICE, MISSED), result(PAGE, NOTICE, MISSED, level="notice")
    assert (page.detected, page.noticed, page.median_delay) == ((PAGE,), 1, 1)
    assert (notice.detected, notice.noticed, notice.median_delay) == ((PAGE, NOTICE), 0, 1)
    assert (notice.named_rightly, notice.cause) == (1, "out of range")


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (result(PAGE, MISSED), "detected"),
        (result(PAGE, MISSED, MISSED), "missed"),
        (result(PAGE, MISSED, MISSED, promised=False), "too small"),
        (result(NOTICE), "missed"),
    ],
)
def test_half_of_the_replicates_decide(found: FaultResult, outcome: str) -> None:
    assert found.outcome == outcome


def test_where_none_was_told_there_is_no_delay_and_no_cause() -> None:
    found = result(MISSED)
    assert (found.median_delay, found.cause, found.named_rightly) == (None, "", 0)


def test_a_slice_names_its_column_and_a_fault_of_no_column_no_input() -> None:
    assert replace(PAGE, column="origin=JFK", named="origin").named_rightly
    assert not replace(PAGE, column="", named="temp").named_rightly
    assert replace(PAGE, column="", named="").named_rightly


def test_a_drill_is_shown_as_a_sentence_and_has_no_dates_of_a_reference_without() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    drill = DrillRecord(
        name="flights",
        version=1,
        basis="",
        at=at,
        by="ada",
        release="0.1.0",
        seed=0,
        source="reference",
        source_windows=30,
        source_start=at,
        source_end=at,
        lead=28,
        windows=30,
        replicates=3,
        false_pages=0,
        false_notices=0,
        faults=(result(PAGE), replace(result(MISSED), title="unit")),
    )
    assert repr(drill) == "DrillRecord(flights, 2026-03-01 12:00: 1 of 2 faults detected; missed: unit.)"
    assert (drill.span, drill.clean_windows, drill.missed) == ((at, at), 174, (drill.faults[1],))
    start = datetime(1970, 1, 1, tzinfo=UTC)
    assert replace(drill, source_start=start, source_end=start).span is None
