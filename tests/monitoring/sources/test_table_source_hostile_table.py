"""Whatever stands in a live table: each a finding of its window or one clear error."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.records import MonitorStatus, WindowRecord
from monitoring.sentences.finding_text import finding_text
from tests.own_table import REFERENCE, Watched, own_rows, watch
from tests.small_deployment import Days

ROWS = 60


def with_oddities(rows: pa.Table) -> pa.Table:
    """The table with inputs that are null, constant, infinite, of whole numbers, of times, and named by any Unicode."""
    count = rows.num_rows
    wild = np.where(np.arange(count) % 3 == 0, np.inf, np.where(np.arange(count) % 3 == 1, np.nan, 1.5))
    return (
        rows.append_column("empty", pa.nulls(count, pa.float64()))
        .append_column("nothing", pa.nulls(count, pa.null()))
        .append_column("same", pa.array(np.full(count, 7)))
        .append_column("wild", pa.array(wild))
        .append_column("\u200bnäme, with=signs\n", pa.array(np.resize(["\U0001f600", "a\0b", "\u202e", ""], count)))
        .append_column("flag", pa.array(np.arange(count) % 2 == 0))
    )


def replaced(rows: pa.Table, name: str, values: object) -> pa.Table:
    """The table with another column in the place of one."""
    return rows.set_column(rows.column_names.index(name), name, pa.array(values))


def odd_scores(rows: pa.Table) -> pa.Table:
    """Half of the answers are no probabilities."""
    late = np.asarray(rows["late"]).copy()
    late[::2] = np.resize([np.nan, np.inf, 1.5, -0.5], ROWS // 2)
    return replaced(rows, "late", late)


def twice(rows: pa.Table) -> pa.Table:
    """A column is there a second time."""
    return pa.Table.from_arrays([*rows.columns, rows["wild"]], names=[*rows.column_names, "temp"])


def odd_times(rows: pa.Table) -> pa.Table:
    """Three rows without a time, two from the far future and one from 1970."""
    when = rows["ts"].to_pylist()
    when[:3] = [None] * 3
    when[3:6] = [datetime(year, 1, 1, tzinfo=UTC) for year in (9999, 2200, 1970)]
    return replaced(rows, "ts", pa.array(when, pa.timestamp("us", "UTC")))


DAYS: dict[int, Callable[[pa.Table], pa.Table]] = {
    1: lambda rows: rows,
    2: lambda rows: rows.rename_columns(["source" if n == "origin" else n for n in rows.column_names]),
    3: lambda rows: replaced(rows, "temp", ["warm"] * ROWS),
    4: lambda rows: replaced(rows, "temp", np.full(ROWS, np.nan)),
    5: twice,
    6: odd_scores,
    7: lambda rows: rows.drop_columns(["late"]),
    8: lambda rows: replaced(rows, "origin", ["\U0001f600\u202e\0"] * ROWS),
    9: lambda rows: replaced(rows, "origin", pa.array([b"\xff\xfe"] * ROWS, pa.binary())),
    10: odd_times,
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Watched, MonitorStatus]:
    """Ten days, each in a file of its own with something wrong in it, and files with no rows."""
    watched = watch(tmp_path_factory.mktemp("hostile"), with_oddities(own_rows(REFERENCE)))
    rows = with_oddities(own_rows(Days(days=10)))
    for day, change in DAYS.items():
        watched.live(f"{day:02d}.parquet", change(rows.filter(pc.equal(pc.day(rows["ts"]), day)).combine_chunks()))
    watched.live("11.parquet", rows.slice(0, 0))
    (watched.folder / "live" / "12.csv").touch()
    return watched, watched.run()[1]


def window(status: MonitorStatus, day: int) -> WindowRecord:
    (found,) = [w for w in status.windows if w.start == datetime(2013, 4, day, tzinfo=UTC)]
    return found


def test_one_row_of_1970_costs_one_window_and_the_far_future_none(hostile: tuple[Watched, MonitorStatus]) -> None:
    _, status = hostile
    assert [w.rows for w in status.windows] == [1, *[60] * 9, 54]
    assert status.windows[0].start == datetime(1970, 1, 1, tzinfo=UTC)
    messages = [finding_text(finding) for finding in status.windows[0].findings]
    assert "3 rows of 10.parquet have no event time, and were left out." in messages
    assert "2 rows of 10.parquet lie more than a day ahead of the clock, and wait for their time." in messages


@pytest.mark.parametrize(
    ("day", "kind", "feature", "fact"),
    [
        (2, "column gone", "origin", True),
        (2, "new column", "source", False),
        (3, "type changed", "temp", True),
        (4, "all values missing", "temp", True),
        (5, "duplicate column", "temp", False),
        (6, "unusable answers", "", False),
        (7, "column gone", "late", True),
        (8, "unseen values", "origin", False),
        (9, "unseen values", "origin", False),
    ],
)
def test_what_is_wrong_is_a_finding_of_its_window(
    hostile: tuple[Watched, MonitorStatus], day: int, kind: str, feature: str, *, fact: bool
) -> None:
    _, status = hostile
    assert (kind, feature, fact) in {(f.kind, f.feature, f.fact) for f in window(status, day).findings}
    assert (kind, feature, fact) not in {(f.kind, f.feature, f.fact) for f in window(status, 1).findings}


def test_what_is_fine_in_a_broken_window_is_judged_all_the_same(hostile: tuple[Watched, MonitorStatus]) -> None:
    _, status = hostile
    rows = {(w.start.day, s.watch, s.slice): s.rows for w in status.windows[1:] for s in w.scores}
    assert rows[2, "output:late", ""] == rows[3, "missing:flag", ""] == ROWS
    assert rows[6, "output:late", ""] == ROWS // 2
    assert rows[7, "output:late", ""] == 0
    assert rows[7, "missing:temp", ""] == ROWS
    assert window(status, 6).labels > 50
    renamed = next(f for f in window(status, 2).findings if f.kind == "new column")
    assert renamed.message == "The column source is not in the reference. It may be origin under another name."


def test_facts_page_at_once_and_nothing_else_does(hostile: tuple[Watched, MonitorStatus]) -> None:
    _, status = hostile
    schema = {i.slice for i in status.incidents if i.watch == "schema"}
    assert {"origin", "temp", "late", "model answers"} == schema


def test_a_run_again_finds_the_same(hostile: tuple[Watched, MonitorStatus]) -> None:
    watched, status = hostile
    again, after = watched.run()
    assert (again.judged, after) == (0, status)


def test_a_file_that_cannot_be_read_is_one_error_and_judges_nothing(tmp_path: Path) -> None:
    watched = watch(tmp_path)
    watched.live("a.parquet", own_rows(Days(days=3)))
    (tmp_path / "live" / "b.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(CannotRun, match=r"b\.parquet"):
        watched.run()
    (tmp_path / "live" / "b.parquet").unlink()
    assert watched.run()[0].judged == 3


def test_a_table_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    watched = watch(tmp_path)
    for traffic in ("live/*.parquet", "nowhere.csv", "live.csv"):
        with pytest.raises(BadInput, match="There is no such table"):
            watched.run(traffic=traffic)


def test_a_table_of_hundreds_of_columns_is_watched(tmp_path: Path, rng: np.random.Generator) -> None:
    _wide(tmp_path, rng, columns=300)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_table_of_ten_thousand_columns_is_watched(tmp_path: Path, rng: np.random.Generator) -> None:
    _wide(tmp_path, rng, columns=10_000)


def _wide(folder: Path, rng: np.random.Generator, *, columns: int) -> None:
    def wide(days: int) -> pa.Table:
        rows = own_rows(Days(days=days)).drop_columns(["y", "known_at"])
        more = {f"x{place}": rng.normal(size=rows.num_rows) for place in range(columns)}
        return pa.table({name: rows[name] for name in rows.column_names} | more)

    watched = watch(folder, wide(6), rows=ROWS, label=None, label_time=None)
    watched.live("a.parquet", wide(1).drop_columns(["x7"]))
    _, status = watched.run()
    assert len(watched.adopted.inputs) == columns + 2
    assert [w.rows for w in status.windows] == [ROWS]
    assert {f.feature for f in status.windows[0].findings if f.fact} == {"x7"}


@pytest.mark.slow
def test_a_million_categories_are_counted_in_bounded_places(tmp_path: Path, rng: np.random.Generator) -> None:
    def rows(count: int, name: str) -> pa.Table:
        score = rng.random(count)
        return pa.table(
            {
                "ts": pa.array(1_357_000_000_000_000 + np.arange(count) * 2_000_000).cast(pa.timestamp("us", "UTC")),
                "who": [f"{name}-{place}" for place in range(count)],
                "p": score,
                "y": (rng.random(count) < score).astype(int),
            }
        )

    said: dict[str, Any] = {"scores": ("p",), "classes": (), "label_time": None, "prediction_id": None, "slices": ()}
    watched = watch(tmp_path, rows(1_000_000, "then"), **said)
    watched.live("a.parquet", rows(200_000, "now"))
    _, status = watched.run()
    assert status.coverage.rows == 200_000
    assert (watched.folder / "flights" / "baseline" / "baseline.json").stat().st_size < 20_000
    assert pq.read_metadata(watched.folder / "flights" / "baseline" / "reference.parquet").num_rows == 1_000_000
