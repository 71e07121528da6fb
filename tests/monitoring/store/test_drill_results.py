"""Drills come back as they were stored, by the name of their deployment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from monitoring.records import DrillRecord, DrillRun, FaultResult, UnfitFault
from monitoring.store import drill_results as drills
from monitoring.store.store import Store

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECORD = DrillRecord(
    name="flights",
    version=3,
    basis="ab" * 32,
    at=AT,
    by="ada",
    release="0.1.0",
    seed=7,
    source="traffic",
    source_windows=40,
    source_start=AT,
    source_end=AT,
    lead=28,
    windows=30,
    replicates=1,
    false_pages=0,
    false_notices=2,
    faults=(
        FaultResult(
            fault="unit",
            title="number times 100",
            what="multiplies",
            touches="inputs",
            level="page",
            runs=(DrillRun(replicate=0, column="temp", level="page", delay=2, watch="schema", cause="out of range"),),
        ),
        FaultResult(
            fault="labels-wrong-5",
            title="5 % of labels wrong",
            what="changes",
            touches="labels",
            level="page",
            promised=False,
            runs=(DrillRun(replicate=0),),
        ),
    ),
    unfit=(UnfitFault(fault="renamed", title="renamed category", reason="needs a category"),),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/store.db") as opened:
        yield opened


def test_a_drill_comes_back_as_it_was(store: Store) -> None:
    number = store.drills.save(RECORD)
    assert store.drills.latest("flights") == (replace(RECORD, number=number),)
    assert store.drills.latest("parcels") == ()


def test_the_newest_comes_first_and_only_the_last_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drills, "KEPT", 2)
    other = store.drills.save(replace(RECORD, name="parcels"))
    numbers = [store.drills.save(replace(RECORD, seed=seed)) for seed in range(3)]
    assert [one.number for one in store.drills.latest("flights", latest=9)] == [numbers[2], numbers[1]]
    assert [one.seed for one in store.drills.latest("flights", latest=1)] == [2]
    assert [one.number for one in store.drills.latest("parcels")] == [other]


def test_what_people_ask_for_is_in_plain_columns(store: Store, tmp_path: Path) -> None:
    store.drills.save(RECORD)
    query = "SELECT fault, told, replicates, median_delay, cause, promised FROM drill_result ORDER BY position"
    engine = create_engine(f"sqlite:///{tmp_path}/store.db")
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    assert rows == [("unit", 1, 1, 2, "out of range", 1), ("labels-wrong-5", 0, 1, None, "", 0)]
