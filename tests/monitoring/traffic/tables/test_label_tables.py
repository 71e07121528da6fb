"""Labels in tables of their own are joined to rows by id, and take their row's time where they have none."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.sentences.finding_text import finding_text
from monitoring.traffic.labels import spill
from monitoring.traffic.labels.spill import LabelsInOrder
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.label_tables import LABEL_SCHEMA, LabelTables, SeparateLabels, dated_labels
from tests.monitoring.traffic.tables.table_files import COLUMNS, at, parquet, rows_at, table_of, times, us


def label_tables(folder: Path, *tables: pa.Table) -> LabelTables:
    folder.mkdir(exist_ok=True)
    return LabelTables(parquet(folder, *tables), COLUMNS)


def labels(ids: list[str | None], values: list[str | None], known: list[float | None] | None = None) -> pa.Table:
    columns = {"id": pa.array(ids, pa.string()), "y": pa.array(values, pa.string())}
    return pa.table(columns if known is None else columns | {"known_at": times(known)})


def joined(folder: Path, *tables: pa.Table) -> tuple[pa.Table, SeparateLabels]:
    rows = table_of(folder, rows_at([1, 2, 3], ids=["a", "b", "c"]))
    separate = label_tables(folder / "labels", *tables)
    return separate.labels(rows), separate.read(rows, lambda _: None)


def plain(labels: pa.Table) -> list[tuple[str, str, object]]:
    return [tuple(row.values()) for row in labels.to_pylist()]


def test_a_label_without_a_time_is_known_when_its_row_happened(tmp_path: Path) -> None:
    dated, found = joined(tmp_path, labels(["b", "a"], ["yes", "no"]))
    assert plain(dated) == [("a", "no", at(1)), ("b", "yes", at(2))]
    assert found.matched.contains(pa.array(["a", "b", "c"])).tolist() == [True, True, False]
    assert dated.schema == LABEL_SCHEMA


def test_labels_without_a_named_column_of_times_say_so_and_which_column_has_times(tmp_path: Path) -> None:
    rows = table_of(tmp_path, rows_at([1, 2], ids=["a", "b"]))
    plain_labels = labels(["a", "b"], ["no", "yes"])
    other_times = {"paid_on": pa.array(["2013-04-02", "2013-04-03"]), "ts": times([1, 2]), "branch": ["x", "1"]}
    renamed = pa.table({**dict(zip(plain_labels.column_names, plain_labels.columns, strict=True)), **other_times})
    named, default = COLUMNS, COLUMNS.replaced(label_time="label_time")
    absent = "The labels of 0.parquet have no column {}: each counts from the event time of its row. "
    for table, columns, hint in (
        (renamed, default, "There are times in paid_on: if labels became known then, name that as label_time in"),
        (plain_labels, named, "If there is one, name the right one as label_time in"),
        (plain_labels, default, None),
        (labels(["a"], ["no"], [9]), named, None),
    ):
        folder = tmp_path / f"labels-{columns.label_time}-{table.num_columns}"
        folder.mkdir()
        found = LabelTables(parquet(folder, table), columns).read(rows, lambda _: None).findings
        expected = [] if hint is None else [f"{absent.format(columns.label_time)}{hint} the [traffic] section."]
        assert [finding_text(finding) for finding in found] == expected
        assert not any(finding.fact for finding in found)


def test_a_label_has_its_own_time_and_at_least_that_of_its_row(tmp_path: Path) -> None:
    dated, _ = joined(tmp_path, labels(["a", "c"], ["no", "yes"], [9, 1]))
    assert plain(dated) == [("c", "yes", at(3)), ("a", "no", at(9))]


def test_a_label_of_no_row_waits_unless_it_has_a_time(tmp_path: Path) -> None:
    dated, found = joined(tmp_path, labels(["x", "y"], ["no", "yes"], [None, 5]))
    assert found.unmatched.to_pylist() == ["x"]
    assert plain(dated) == [("y", "yes", at(5))]
    assert not found.matched.keys.size


def test_rows_without_an_id_or_a_label_are_ignored(tmp_path: Path) -> None:
    dated, found = joined(tmp_path, labels([None, "a", "b", "x"], ["no", None, " ", None]))
    assert plain(dated) == []
    assert found.unmatched.to_pylist() == []


def test_labels_of_several_tables_are_in_order_of_time(tmp_path: Path) -> None:
    dated, _ = joined(tmp_path, labels(["c"], ["no"]), labels(["a", "b"], ["yes", "yes"]), labels([], []))
    assert [name for name, _, _ in plain(dated)] == ["a", "b", "c"]


def test_invalid_label_times_and_unbalanced_quotes_are_findings(tmp_path: Path) -> None:
    rows = table_of(tmp_path, rows_at([1, 2], ids=["a", "b"]))
    (tmp_path / "labels").mkdir()
    lost = "".join(f"x{line},no,\n" for line in range(20))
    (tmp_path / "labels" / "a.csv").write_text(f'id,y,known_at\na,yes,soon\nb,"no,\n{lost}')
    found = LabelTables(pieces_of(tmp_path / "labels"), COLUMNS).read(rows, lambda _: None)
    assert [each.kind for each in found.findings] == ["no label time", "unbalanced quote"]


@pytest.mark.parametrize("name", ["id", "y"])
def test_a_table_without_ids_or_labels_is_bad_input(tmp_path: Path, name: str) -> None:
    tables = label_tables(tmp_path / "labels", labels(["a"], ["no"]).drop_columns([name]))
    with pytest.raises(BadInput, match="cannot be joined") as raised:
        _ = tables.ids
    assert name in raised.value.got


def test_an_empty_table_without_columns_is_ignored(tmp_path: Path) -> None:
    assert len(label_tables(tmp_path / "labels", labels([], []).drop_columns(["id"])).ids) == 0
    assert len(LabelTables((), COLUMNS).ids) == 0


def test_the_ids_are_those_of_all_tables(tmp_path: Path) -> None:
    ids = label_tables(tmp_path / "labels", labels(["a", None], ["no", "no"]), labels(["b"], [None])).ids
    assert ids.contains(pa.array(["a", "b", "c"])).tolist() == [True, True, False]


def test_numbers_are_ids_and_labels_too(tmp_path: Path) -> None:
    rows = table_of(tmp_path, rows_at([1, 2], ids=["7", "8"]))
    tables = label_tables(tmp_path / "labels", pa.table({"id": [8, 7], "y": [1, 0]}))
    assert plain(tables.labels(rows)) == [("7", "0", at(1)), ("8", "1", at(2))]


@given(st.lists(st.lists(st.tuples(st.sampled_from(["no", None]), st.none() | st.integers(0, 5))), max_size=3))
def test_order_is_by_time_stable_and_without_blanks(parts: list[list[tuple[str | None, int | None]]]) -> None:
    numbered = [[(label, hour, f"{n}:{m}") for m, (label, hour) in enumerate(part)] for n, part in enumerate(parts)]
    tables = [
        pa.table(
            [
                pa.array([i for _, _, i in p], pa.string()),
                pa.array([v for v, _, _ in p], pa.string()),
                times([h for _, h, _ in p]),
            ],
            names=LABEL_SCHEMA.names,
        )
        for p in numbered
    ]
    dated = LabelsInOrder(LABEL_SCHEMA)
    for table in tables:
        dated.add(dated_labels(table))
    with patch.object(spill, "AT_ONCE", 3):
        found = pa.concat_tables(dated)
    there = [(us(hour), name) for part in numbered for label, hour, name in part if label and hour is not None]
    assert found["prediction_id"].to_pylist() == [name for _, name in sorted(there, key=lambda each: each[0])]
    assert found.schema == LABEL_SCHEMA
