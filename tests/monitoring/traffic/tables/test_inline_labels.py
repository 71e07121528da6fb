"""Labels that were counted with their rows are kept window by window, and found again by place or by id."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.traffic.id_keys import id_keys
from monitoring.traffic.tables import inline_labels
from monitoring.traffic.tables.inline_labels import BY_ID, NOT_COUNTED, CountedLabels, InlineLabels, counted_with
from tests.monitoring.traffic.tables.table_files import at, window

ROWS = st.dictionaries(st.integers(0, 10**6), st.integers(-1, 5) | st.integers(-(2**63), 2**63 - 1), max_size=20)


def write(labels: InlineLabels, start: float, rows: dict[str, dict[int, int]], end: float | None = None) -> None:
    with labels.writer(window(start, start + 1 if end is None else end)) as writer:
        for file, counted in rows.items():
            writer.add(file, np.array(list(counted), dtype=np.int64), np.array(list(counted.values()), dtype=np.int64))


def plain(labels: InlineLabels, start: float | None = None) -> dict[str, dict[int, int]]:
    found = labels.read(None if start is None else window(start, start + 1))
    return {name: dict(zip(one.rows.tolist(), one.labels.tolist(), strict=True)) for name, one in found.items()}


def test_nothing_is_counted_at_first(tmp_path: Path) -> None:
    labels = InlineLabels(tmp_path / "absent")
    assert plain(labels) == {}
    assert labels.earliest() is None
    labels.begin(at(0), None)
    assert not (tmp_path / "absent").exists()


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(["a.csv", "b/c.parquet", BY_ID]), ROWS, max_size=3), st.integers(1, 30))
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[str, dict[int, int]], at_once: int
) -> None:
    labels = InlineLabels(tmp_path_factory.mktemp("inline"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inline_labels, "ROWS", at_once)
        write(labels, 1, rows)
    assert plain(labels) == {name: counted for name, counted in rows.items() if counted}
    assert all((np.diff(one.rows) > 0).all() for one in labels.read().values())


def test_windows_are_read_together_or_alone(tmp_path: Path) -> None:
    labels = InlineLabels(tmp_path)
    write(labels, 1, {"a.csv": {5: 1, 2: 0}})
    write(labels, 2, {"a.csv": {3: 1}, "b.csv": {0: -1}})
    assert plain(labels) == {"a.csv": {2: 0, 3: 1, 5: 1}, "b.csv": {0: -1}}
    assert plain(labels, 1) == {"a.csv": {2: 0, 5: 1}}
    assert plain(labels, 3) == {}


def test_a_window_that_is_counted_again_replaces_the_first_count(tmp_path: Path) -> None:
    labels = InlineLabels(tmp_path)
    write(labels, 1, {"a.csv": {5: 1}})
    write(labels, 1, {"a.csv": {6: 0}})
    assert plain(labels) == {"a.csv": {6: 0}}


def test_a_window_without_labels_was_counted_too(tmp_path: Path) -> None:
    labels = InlineLabels(tmp_path)
    write(labels, 4, {})
    assert labels.earliest() == at(4)
    assert plain(labels) == {}


def test_a_count_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inline_labels, "ROWS", 1)
    labels = InlineLabels(tmp_path)

    def fail() -> None:
        with labels.writer(window(1, 2)) as writer:
            writer.add("a.csv", np.array([1]), np.array([1]))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert labels.earliest() is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_earliest_window_is_by_time_and_not_by_name(tmp_path: Path) -> None:
    labels = InlineLabels(tmp_path)
    write(labels, 7, {"a.csv": {1: 1}})
    write(labels, -24 * 365 * 60, {"a.csv": {2: 1}})
    assert labels.earliest() == at(-24 * 365 * 60)


@pytest.mark.parametrize(
    ("since", "until", "kept"),
    [
        (None, 10, [1, 2, 3]),
        (2, 10, [2, 3]),
        (2.5, 10, [2, 3]),
        (None, 3, [1, 2]),
        (None, 2.5, [1, 2]),
        (2, 3, [2]),
        (None, None, []),
    ],
)
def test_old_windows_and_those_never_judged_are_forgotten(
    tmp_path: Path, since: float | None, until: float | None, kept: list[int]
) -> None:
    labels = InlineLabels(tmp_path)
    for start in (1, 2, 3):
        write(labels, start, {"a.csv": {start: 1}})
    labels.begin(None if since is None else at(since), None if until is None else at(until))
    assert list(plain(labels).get("a.csv", {})) == kept


@given(ROWS, st.lists(st.integers(0, 10**6), max_size=20))
def test_each_row_has_the_label_that_it_was_counted_with(rows: dict[int, int], asked: list[int]) -> None:
    ordered = sorted(rows)
    counted = CountedLabels(
        rows=np.array(ordered, dtype=np.int64), labels=np.array([rows[row] for row in ordered], dtype=np.int64)
    )
    asked = [*asked, *ordered[:3]]
    found = counted.of(np.array(asked, dtype=np.int64), NOT_COUNTED)
    assert found.tolist() == [rows.get(row, NOT_COUNTED) for row in asked]


def by_ids(*ids: str) -> CountedLabels:
    keys = id_keys(pa.array(ids))
    order = np.argsort(keys)
    return CountedLabels(rows=keys[order], labels=np.arange(len(ids))[order])


def test_labels_are_found_by_the_ids_of_the_table() -> None:
    found = counted_with(pa.array(["b", "x", "a"]), {BY_ID: by_ids("a", "b")}, NOT_COUNTED)
    assert found.tolist() == [1, NOT_COUNTED, 0]


def test_labels_are_found_by_file_and_place_even_where_names_begin_alike() -> None:
    one = CountedLabels(rows=np.array([3]), labels=np.array([1]))
    two = CountedLabels(rows=np.array([3]), labels=np.array([2]))
    ids = pa.array(["a:3", "a:b:3", "a:", "a:3x", "a:-3", "a:" + "9" * 19, "a:4", "a", "a:03"])
    found = counted_with(ids, {"a": one, "a:b": two}, NOT_COUNTED)
    assert found.tolist() == [1, 2, *[NOT_COUNTED] * 6, 1]


def test_ids_and_places_are_looked_up_together() -> None:
    one = CountedLabels(rows=np.array([3]), labels=np.array([1]))
    found = counted_with(pa.array(["a", "f.csv:3", "zz"]), {BY_ID: by_ids("a"), "f.csv": one}, NOT_COUNTED)
    assert found.tolist() == [0, 1, NOT_COUNTED]
    assert counted_with(pa.array([], pa.string()), {BY_ID: by_ids("a")}, NOT_COUNTED).tolist() == []
