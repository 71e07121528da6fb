"""The rows of a baseline: out of their file as they are in memory, whatever the batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.baseline import reference as module
from monitoring.baseline.folder import REFERENCE, load_baseline, write_baseline
from monitoring.baseline.reference import InMemoryReference, ReferenceFile, ReferenceRows, how_to_rewrite, unreadable
from monitoring.errors import CannotRun
from tests.monitoring.baseline.reference_tables import SPEC, reference

NAMES = ["x", "c"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("baseline")
    write_baseline(reference(120), folder=folder, spec=SPEC)
    return folder / REFERENCE


@pytest.fixture(scope="module")
def held(file: Path) -> InMemoryReference:
    return InMemoryReference(load_baseline(file.parent).reference)


def plain(table: pa.Table) -> dict[str, list[object]]:
    """Columns with None for missing."""
    return {
        name: [None if isinstance(cell, float) and np.isnan(cell) else cell for cell in table[name].to_pylist()]
        for name in table.column_names
    }


@pytest.mark.parametrize("rows", [1, 7, 64, None])
def test_inputs_and_batches_are_those_in_memory(file: Path, held: InMemoryReference, rows: int | None) -> None:
    filed = ReferenceFile(file, SPEC, rows=rows)
    assert plain(filed.inputs(NAMES)) == plain(held.inputs(NAMES))
    batches = list(filed.batches())
    assert batches[0].num_rows == 0, "the first has the types and no rows"
    assert plain(pa.concat_tables(batches)) == plain(held.inputs(NAMES))
    if rows:
        assert max(batch.num_rows for batch in batches) <= rows


@pytest.mark.parametrize("places", [[], [0], [119, 0, 5, 5], list(range(120))])
@pytest.mark.parametrize("group", [10, 1_000])
def test_rows_taken_are_those_in_memory_in_the_order_asked_for(
    file: Path, held: InMemoryReference, places: list[int], group: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COLUMNS", 1)
    pq.write_table(pq.read_table(file), tmp_path / "again.parquet", row_group_size=group)
    filed = ReferenceFile(tmp_path / "again.parquet", SPEC, rows=6)
    indices = np.array(places, dtype=np.int64)
    found, expected = filed.take(indices, NAMES), held.take(indices, NAMES)
    assert found.ids.to_pylist() == expected.ids.to_pylist()
    assert found.labels.tolist() == expected.labels.tolist()
    assert plain(found.features) == plain(expected.features)


def test_answers_have_no_inputs_and_are_read_once(file: Path) -> None:
    filed = ReferenceFile(file, SPEC)
    assert filed.answers.features.num_columns == 0
    assert filed.answers is filed.answers
    assert len(filed.answers) == 120


def test_the_whole_is_every_row_with_every_input(file: Path, held: InMemoryReference) -> None:
    whole = ReferenceFile(file, SPEC).whole()
    assert plain(whole.features.select(NAMES)) == plain(held.whole().features.select(NAMES))
    assert held.answers is held.whole()


def test_no_inputs_are_an_empty_table(file: Path) -> None:
    assert ReferenceFile(file, SPEC).inputs([]).num_columns == 0


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_file_is_one_clear_error(file: Path, tmp_path: Path, damage: str) -> None:
    broken = tmp_path / "reference.parquet"
    if damage == "cut":
        broken.write_bytes(file.read_bytes()[:500])
    for read in (lambda: ReferenceFile(broken, SPEC).answers, lambda: ReferenceFile(broken, SPEC).inputs(["x"])):
        with pytest.raises(CannotRun, match="cannot be read"):
            read()


def test_a_file_without_a_column_or_with_other_rows_does_not_pass_the_check(file: Path, tmp_path: Path) -> None:
    ReferenceFile(file, SPEC).check(120)
    with pytest.raises(CannotRun, match="120 rows"):
        ReferenceFile(file, SPEC).check(119)
    pq.write_table(pq.read_table(file).drop_columns(["c"]), tmp_path / "less.parquet")
    with pytest.raises(CannotRun, match="no column c"):
        ReferenceFile(tmp_path / "less.parquet", SPEC).check(120)


def test_both_are_rows_of_a_baseline(file: Path, held: InMemoryReference) -> None:
    both: tuple[ReferenceRows, ReferenceRows] = (held, ReferenceFile(file, SPEC))
    assert {len(one.answers) for one in both} == {120}


EXPORT = "Export the bundle again, with a reference table."
INIT = "Write it again, from the reference table: pitfalls monitor init --force."


@pytest.mark.parametrize(
    ("place", "fix"),
    [
        ("models/flights/3/assets.extra/baseline", EXPORT),
        ("models/flights/3/assets.extra/schema.pbtxt", EXPORT),
        ("baseline", INIT),
        ("monitor/schema.pbtxt", INIT),
    ],
)
def test_the_fix_depends_on_whether_it_is_a_bundles(place: str, fix: str) -> None:
    assert how_to_rewrite(Path(place)) == fix


@pytest.mark.parametrize(
    ("reason", "shown"), [("first line\nsecond line", "first line"), ("", "no reason given"), ("one", "one")]
)
def test_the_first_line_of_the_reason_is_quoted(reason: str, shown: str) -> None:
    error = unreadable(Path("baseline/reference.parquet"), reason, "rows")
    assert isinstance(error, CannotRun)
    text = str(error)
    assert f"baseline/reference.parquet: {shown}" in text
    assert "second line" not in text
    assert text.endswith(INIT)
