"""Each column of a table in turn, with cells of every kind: a finding of its window, or nothing to find."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from monitoring.errors import BadInput
from monitoring.judging.facts.traffic_volume import FEWER_LABELS
from monitoring.onboarding.init import InitResult
from monitoring.records import LABELS_STOPPED, MonitorStatus, WindowRecord
from tests.own_table import REFERENCE, Watched, own_rows, watch
from tests.small_deployment import LATER, Days

ODD = ["\U0001f600", "a\0b", "\u202e", "' OR 1=1 --", "<script>alert(1)</script>", "\n", "=1+1", "\u0000"]

#: Cells by their kind, of so many rows, from the cells that were there; None takes the column away.
CELLS: dict[str, Callable[[pa.Array], pa.Array] | None] = {
    "absent": None,
    "all null": lambda had: pa.nulls(len(had), had.type),
    "no type": lambda had: pa.nulls(len(had), pa.null()),
    "half null": lambda had: pc.if_else(pa.array(np.arange(len(had)) % 2 == 0), pa.scalar(None, had.type), had),
    "text": lambda had: repeated("warm", had),
    "empty text": lambda had: repeated("", had),
    "odd text": lambda had: pa.array(np.resize(np.array(ODD, dtype=object), len(had)).tolist()),
    "long text": lambda had: repeated("x" * 10_000, had),
    "bytes": lambda had: repeated(b"\xff\xfe\x00", had),
    "booleans": lambda had: pa.array(np.arange(len(had)) % 2 == 0),
    "NaN": lambda had: repeated(np.nan, had),
    "infinities": lambda had: pa.array(np.resize([np.inf, -np.inf, np.nan], len(had))),
    "zeros": lambda had: repeated(0.0, had),
    "negative": lambda had: repeated(-75.0, had),
    "huge": lambda had: repeated(1e308, had),
    "tiny": lambda had: repeated(5e-324, had),
    "largest whole": lambda had: pa.array(np.full(len(had), 2**63 - 1)),
    "unsigned": lambda had: pa.array(np.full(len(had), 2**64 - 1, dtype=np.uint64)),
    "half floats": lambda had: pa.array(np.full(len(had), 0.5, dtype=np.float16)),
    "decimals": lambda had: repeated(Decimal("0.5"), had),
    "dates": lambda had: repeated(date(2013, 1, 1), had),
    "times": lambda had: repeated(time(1, 2), had),
    "moments": lambda had: repeated(datetime(2013, 1, 1, tzinfo=UTC), had),
    "durations": lambda had: repeated(timedelta(days=1), had),
    "lists": lambda had: repeated([0.5, 0.5], had),
    "empty lists": lambda had: pa.array([[]] * len(had), pa.list_(pa.float64())),
    "structures": lambda had: repeated({"a": 1}, had),
    "maps": lambda had: pa.array([[("a", 1)]] * len(had), pa.map_(pa.string(), pa.int64())),
    "a dictionary": lambda had: repeated("a", had).dictionary_encode(),
    "an empty dictionary": lambda had: pa.DictionaryArray.from_arrays(
        pa.nulls(len(had), pa.int32()), pa.array([], pa.string())
    ),
}
NOTHING_THERE = {"all null", "no type", "half null", "an empty dictionary"}

#: What a column may hold without a word: cells that are of its kind, or none.
SILENT = {
    "id": {*NOTHING_THERE, "NaN"},
    "temp": set[str](),
    "origin": set[str](),
    "on_time": set[str](),
    "late": set[str](),
    "y": {*NOTHING_THERE, "absent", "empty text", "NaN"},
    "known_at": {*NOTHING_THERE, "empty text", "dates", "moments"},
}
#: Numbers, but none that a temperature of the baseline was near to.
OUT_OF_RANGE = {"booleans", "zeros", "negative", "huge", "tiny", "largest whole", "unsigned", "half floats", "decimals"}
CASES = [(column, cells) for column in SILENT for cells in CELLS]


def repeated(value: object, had: pa.Array) -> pa.Array:
    return pa.array([value] * len(had))


def changed(rows: pa.Table, column: str, cells: str) -> pa.Table:
    """The table with other cells in one of its columns, or without it."""
    make = CELLS[cells]
    if make is None:
        return rows.drop_columns([column])
    return rows.set_column(rows.column_names.index(column), column, make(rows[column].combine_chunks()))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Watched, MonitorStatus]:
    """A day without a fault, and then a day for each case, in a file of its own."""
    watched = watch(tmp_path_factory.mktemp("cells"))
    rows = own_rows(Days(days=len(CASES) + 1))
    days = pc.days_between(rows["ts"][0], rows["ts"]).to_numpy()
    for number, case in enumerate([None, *CASES]):
        mine = rows.filter(pa.array(days == number)).combine_chunks()
        watched.live(f"{number:03d}.parquet", mine if case is None else changed(mine, *case))
    return watched, watched.run(now=LATER)[1]


def test_every_day_is_judged(hostile: tuple[Watched, MonitorStatus]) -> None:
    _, status = hostile
    days = [window for window in status.windows if window.start.year == 2013]
    assert len(days) == len(CASES) + 1
    assert not days[0].findings


@pytest.mark.parametrize(("column", "cells"), CASES)
def test_cells_of_another_kind_are_a_finding(hostile: tuple[Watched, MonitorStatus], column: str, cells: str) -> None:
    window: WindowRecord = hostile[1].windows[CASES.index((column, cells)) + 1]
    told = {finding.kind for finding in window.findings} - {LABELS_STOPPED, FEWER_LABELS}  # of several days
    assert bool(told) != (cells in SILENT[column]), told
    if column == "temp":
        assert (bool(told) and told <= {"out of range", "input constant"}) == (cells in OUT_OF_RANGE)
    for finding in window.findings:
        subjects = (
            column,
            "",
            "on_time",
            "model answers",
            "row count",
            "labels",
            "label arrivals",
            "recent label count",
        )
        assert finding.feature in subjects
        assert len(finding.message) < 500


def test_a_label_known_before_its_row_counts_with_it(hostile: tuple[Watched, MonitorStatus]) -> None:
    windows = hostile[1].windows
    assert all(windows[CASES.index(("known_at", cells)) + 1].labels > 50 for cells in ("dates", "moments"))


def test_rows_of_one_id_are_a_finding_if_they_are_most(hostile: tuple[Watched, MonitorStatus]) -> None:
    window = hostile[1].windows[CASES.index(("id", "text")) + 1]
    assert (window.rows, window.repeats) == (1, 59)
    [finding] = window.findings
    assert finding.message == "59 of 60 rows have the id of another row, and are ignored: are ids unique per row?"


@pytest.mark.slow
@pytest.mark.timeout(900)  # thirty references, each with its schema inferred
@pytest.mark.parametrize("column", SILENT)
def test_a_reference_of_such_cells_is_adopted_or_one_clear_error(tmp_path: Path, column: str) -> None:
    refused = 0
    for number, cells in enumerate(CELLS):
        folder = tmp_path / str(number)
        said = adopted_or_refused(folder, changed(own_rows(REFERENCE), column, cells))
        if isinstance(said, str):
            refused += 1
            assert len(said) < 1_500
            assert not (folder / "flights").exists(), "a refusal leaves nothing"
        else:
            assert said.rows > 0
    assert refused < len(CELLS), "some of these are of every column's kind"


def adopted_or_refused(folder: Path, reference: pa.Table) -> InitResult | str:
    """What became of it, or the error in words; any other exception is a defect."""
    try:
        return watch(folder, reference).adopted
    except BadInput as error:
        return str(error)
