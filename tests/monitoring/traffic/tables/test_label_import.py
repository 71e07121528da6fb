"""Labels of tables come into the label log once each, unless they were counted with their rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.tasks.label_codes import class_indices
from monitoring.traffic.labels import label_writer, spill
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.tables import label_tables
from monitoring.traffic.tables.inline_labels import InlineLabels
from monitoring.traffic.tables.label_import import (
    ImportedLabels,
    LabelDestination,
    LabelRouting,
    import_labels,
    label_keys,
    once_each,
    row_labels,
)
from monitoring.traffic.tables.label_tables import LabelTables
from monitoring.traffic.tables.table import Table
from tests.monitoring.traffic.tables.table_files import COLUMNS, at, parquet, rows_at, table_of, times, window

PAIR = st.tuples(st.sampled_from("abc"), st.sampled_from(["no", "yes"]))


def indices(labels: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.asarray(pc.fill_null(class_indices(labels, COLUMNS.classes), -1), dtype=np.int64)


class Import:
    """A folder with live rows, label tables and a label log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("live", "labels"):
            (folder / name).mkdir()
        self.inline = InlineLabels(folder / "inline")
        self.destination = LabelDestination(
            root=folder / "log", inline=self.inline, digests=indices, clock=lambda: at(100)
        )

    def label_tables(self, *tables: pa.Table) -> LabelTables:
        return LabelTables(parquet(self.folder / "labels", *tables), COLUMNS)

    def run(
        self,
        rows: Table,
        label_tables: LabelTables | None = None,
        *,
        since: float | None = None,
        until: float | None = None,
    ) -> ImportedLabels:
        return import_labels(
            rows,
            label_tables,
            self.destination,
            since=None if since is None else at(since),
            judged_until=None if until is None else at(until),
        )

    def live(self, *tables: pa.Table) -> Table:
        return table_of(self.folder / "live", *tables)

    def count(self, start: float, end: float, rows: dict[int, int], file: str = "0.parquet") -> None:
        with self.inline.writer(window(start, end)) as writer:
            writer.add(file, np.array(list(rows), np.int64), np.array(list(rows.values()), np.int64))

    def logged(self) -> list[tuple[str, str, float]]:
        log = LabelLog(self.destination.root).read()
        return [
            (row["prediction_id"], row["label"], (row["label_time"] - at(0)).total_seconds() / 3600)
            for row in log.select(["prediction_id", "label", "label_time"]).to_pylist()
        ]


@pytest.fixture
def into(tmp_path: Path) -> Import:
    return Import(tmp_path)


def separate(ids: list[str], labels: list[str], known: list[float | None] | None = None) -> pa.Table:
    columns = {"id": pa.array(ids), "y": pa.array(labels)}
    return pa.table(columns if known is None else columns | {"known_at": times(known)})


def test_labels_known_with_their_rows_stay_out_of_the_log(into: Import) -> None:
    found = into.run(into.live(rows_at([1, 2], ids=["a", "b"], labels=["no", "yes"])))
    assert into.logged() == []
    assert into.destination.root.is_dir()
    assert (len(found.matched), len(found.unmatched), found.findings) == (0, 0, ())


def test_labels_that_became_known_later_are_logged_once(into: Import) -> None:
    rows = into.live(rows_at([1, 2, 3], ids=["a", "b", "c"], labels=["no", "yes", None], known=[4, 2, 5]))
    for _ in range(2):
        found = into.run(rows)
        assert into.logged() == [("a", "no", 4.0)]
        assert found.matched.contains(pa.array(["a", "b"])).tolist() == [True, False]


def test_rows_without_ids_are_logged_by_file_and_place(into: Import) -> None:
    into.run(into.live(rows_at([1, 2], labels=["no", "yes"], known=[4, 5])))
    assert into.logged() == [("0.parquet:0", "no", 4.0), ("0.parquet:1", "yes", 5.0)]


def test_labels_of_rows_that_share_an_id_are_logged_each(into: Import) -> None:
    into.run(into.live(rows_at([1, 2, 3], ids=["a", "a", "b"], labels=["no", "yes", "no"])))
    assert into.logged() == [("a", "no", 1.0), ("a", "yes", 2.0)]


def test_labels_that_are_new_in_judged_windows_are_logged(into: Import) -> None:
    into.count(0, 4, {0: 0, 1: 0})
    rows = into.live(rows_at([1, 2, 3, 5], labels=["no", "yes", "yes", "no"]))
    into.run(rows, until=4)
    assert into.logged() == [("0.parquet:1", "yes", 2.0), ("0.parquet:2", "yes", 3.0)]
    into.run(rows, until=4)
    assert len(into.logged()) == 2


def test_judged_rows_before_the_first_time_of_interest_are_not_looked_at(into: Import) -> None:
    into.count(0, 4, {})
    into.run(into.live(rows_at([1, 3], labels=["no", "yes"])), since=2, until=4)
    assert into.logged() == [("0.parquet:1", "yes", 3.0)]


def test_label_tables_are_joined_to_rows(into: Import) -> None:
    rows = into.live(rows_at([1, 2], ids=["a", "b"]))
    found = into.run(rows, into.label_tables(separate(["b", "a"], ["yes", "no"], [None, 9])))
    assert into.logged() == [("b", "yes", 2.0), ("a", "no", 9.0)]
    assert found.matched.contains(pa.array(["a", "b"])).all()


def test_labels_that_match_no_row_wait_and_are_counted(into: Import) -> None:
    labels = into.label_tables(separate(["x", "w", "a"], ["yes", "no", "no"]))
    found = into.run(into.live(rows_at([1], ids=["a"])), labels)
    assert found.unmatched.to_pylist() == ["x", "w"]
    assert into.logged() == [("a", "no", 1.0)]
    later = into.live(rows_at([1], ids=["a"]), rows_at([2, 3], ids=["w", "x"]))
    assert len(into.run(later, labels).unmatched) == 0
    assert into.logged()[1:] == [("w", "no", 2.0), ("x", "yes", 3.0)]


def test_a_label_that_was_counted_with_its_row_is_not_logged_again(into: Import) -> None:
    into.count(0, 4, {0: 0, 1: 0})
    labels = into.label_tables(separate(["0.parquet:0", "0.parquet:1"], ["no", "yes"]))
    found = into.run(into.live(rows_at([1, 2])), labels, until=4)
    assert into.logged() == [("0.parquet:1", "yes", 2.0)]
    assert len(found.unmatched) == 0


def test_label_tables_without_labels_are_bad_input(into: Import) -> None:
    labels = into.label_tables(pa.table({"id": ["a"]}))
    with pytest.raises(BadInput, match="cannot be joined"):
        into.run(into.live(rows_at([1], ids=["a"])), labels)


def test_labels_go_inline_unless_they_are_late_shared_or_in_a_label_table(into: Import) -> None:
    rows = into.live(
        rows_at([1, 2, 3, 3], ids=["a", "b", "c", "c"], labels=["no"] * 4, known=[1, 9, 3, 3]),
        rows_at([5], ids=["e"], labels=["no"]),
    )
    routing = LabelRouting.of(rows, None)
    ((part, *rest), (other,)) = (list(parts) for _, parts in rows.parts(window(0, 24)))
    assert rest == []
    inline = routing.inline(0, part.batch)
    assert inline is not None
    assert [n for n, one in zip(part.batch.all_ids().to_pylist(), inline.tolist(), strict=True) if one] == ["a"]
    assert routing.inline(1, other.batch) is None
    assert [routing.concerns(extent) for extent in rows.extents] == [True, False]
    with_tables = LabelRouting.of(rows, into.label_tables(separate(["e"], ["no"])))
    assert with_tables.needs_ids
    found = with_tables.inline(1, other.batch)
    assert found is not None
    assert found.tolist() == [False]
    assert all(with_tables.concerns(extent) for extent in rows.extents)


def test_a_row_shared_or_listed_goes_through_the_log_whatever_its_time(into: Import) -> None:
    rows = into.live(rows_at([1, 2, 3], ids=["a", "a", "b"]))
    routing = LabelRouting.of(rows, into.label_tables(separate(["b"], ["no"])))
    places, ids = np.arange(3), pa.array(["a", "a", "b"])
    found = routing.by_log(0, places, ids)
    assert found is not None
    assert found.tolist() == [True, True, True]
    assert LabelRouting.of(rows, None).by_log(7, places, ids) is None


def test_all_labels_of_the_rows_are_those_of_repeats_too(into: Import) -> None:
    rows = into.live(rows_at([1, 2, 3], ids=["a", "a", "b"], labels=["no", "yes", None], known=[8, None, 9]))
    assert row_labels(rows).to_pylist() == [
        {"prediction_id": "a", "label": "yes", "label_time": at(2)},
        {"prediction_id": "a", "label": "no", "label_time": at(8)},
    ]


def pairs(rows: list[tuple[str, str]]) -> pa.Table:
    return pa.table(
        {
            "prediction_id": pa.array([i for i, _ in rows], pa.string()),
            "label": pa.array([v for _, v in rows], pa.string()),
        }
    )


@given(st.lists(PAIR, max_size=10), st.lists(PAIR, max_size=10))
def test_unknown_labels_are_those_not_known_each_once(
    found: list[tuple[str, str]], known: list[tuple[str, str]]
) -> None:
    parts = [pairs(found[:4]), pairs(found[4:])]
    fresh = [tuple(row.values()) for part in once_each(parts, label_keys([pairs(known)])) for row in part.to_pylist()]
    assert fresh == [pair for pair in dict.fromkeys(found) if pair not in known]
    assert list(once_each(parts, label_keys(parts))) == []


def test_a_label_and_an_id_are_not_confused_with_others_that_join_alike() -> None:
    assert len(list(once_each([pairs([("b", "ac")])], label_keys([pairs([("cb", "a")])])))) == 1


def test_labels_too_many_for_memory_come_into_the_log_in_the_same_order(
    into: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spill, "AT_ONCE", 4)
    monkeypatch.setattr(label_tables, "AT_ONCE", 4)
    monkeypatch.setattr(label_writer, "_SEGMENT_BYTES", 1)
    hours = np.random.default_rng(1).permutation(40)
    rows = into.live(rows_at(list(range(40)), ids=[f"{hour}" for hour in range(40)]))
    ids, labels = [f"{hour}" for hour in hours], ["no" if hour % 3 else "yes" for hour in hours]
    known = [None if hour % 2 else float(hour) for hour in hours]
    parts = [separate(ids[at : at + 7], labels[at : at + 7], known[at : at + 7]) for at in range(0, 40, 7)]
    for _ in range(2):
        result = into.run(rows, into.label_tables(*parts))
        assert into.logged() == [(f"{hour}", "no" if hour % 3 else "yes", hour) for hour in range(40)]
        assert result.matched.contains(pa.array(ids)).all()
    log = LabelLog(into.destination.root)
    assert len(list(log.parts())) > 5
    assert pa.concat_tables(log.parts()).equals(log.read())
