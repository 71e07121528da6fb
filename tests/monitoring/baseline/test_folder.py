"""A baseline written and read again is the same; one that is none is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from monitoring.baseline.folder import DESCRIPTION, FORMAT, REFERENCE, load_baseline, write_baseline
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.spec import BaselineSpec, Embedding
from monitoring.errors import BadInput, CannotRun
from tests.monitoring.baseline.reference_tables import SPEC, reference


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_baseline(reference(), folder=tmp_path / "new" / "baseline", spec=SPEC)
    return tmp_path / "new" / "baseline"


def test_what_is_written_is_read(folder: Path) -> None:
    found = load_baseline(folder)
    assert found.spec == SPEC
    assert found.profile == profile(found.reference, found.bins)
    assert found.profile.rows == 200
    assert found.reference.ids.to_pylist() == [f"reference-{row:03}:0" for row in range(200)]


def test_rows_are_in_the_order_of_their_times(folder: Path) -> None:
    times = load_baseline(folder).reference.event_times
    assert (np.diff(times) >= 0).all()


@pytest.mark.parametrize(
    "spec",
    [
        replace(SPEC, has_probabilities=False, columns=(("x", "double"), ("c", "string"))),
        replace(SPEC, columns=(("x", "double"),)),
    ],
)
def test_a_tables_specification_comes_back(spec: BaselineSpec, tmp_path: Path) -> None:
    write_baseline(reference(), folder=tmp_path, spec=spec)
    assert load_baseline(tmp_path).spec == spec


def test_an_embedding_comes_back_with_its_numbers(tmp_path: Path) -> None:
    spec = replace(SPEC, embedding=Embedding(tensors=("image",), columns=("embedding:1",)))
    table = reference().append_column("embedding:1", pa.array(np.arange(200.0)))
    write_baseline(table, folder=tmp_path, spec=spec)
    found = load_baseline(tmp_path)
    assert found.spec == spec
    assert sorted(np.asarray(found.rows.inputs(["embedding:1"])["embedding:1"])) == list(range(200))


@pytest.mark.parametrize("column", ["prediction_id", "event_time", "x", "c", "probabilities", "label", "label_time"])
def test_a_table_without_a_column_is_refused_by_its_name(column: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"no column {column}"):
        write_baseline(reference().drop_columns([column]), folder=tmp_path, spec=SPEC)
    assert not (tmp_path / DESCRIPTION).exists()


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no rows"):
        write_baseline(reference().slice(0, 0), folder=tmp_path, spec=SPEC)


def test_an_input_of_another_type_is_refused(tmp_path: Path) -> None:
    table = reference()
    wrong = table.set_column(table.column_names.index("x"), "x", pa.array(["warm"] * 200))
    with pytest.raises(BadInput, match="x: type changed to string"):
        write_baseline(wrong, folder=tmp_path, spec=SPEC)


@pytest.mark.parametrize("name", [DESCRIPTION, REFERENCE])
def test_a_folder_without_a_file_is_no_baseline(name: str, folder: Path) -> None:
    (folder / name).unlink()
    with pytest.raises(CannotRun, match="There is no baseline here"):
        load_baseline(folder)


def test_another_format_is_refused(folder: Path) -> None:
    document = json.loads((folder / DESCRIPTION).read_text("utf-8"))
    assert document["format"] == FORMAT == 1
    (folder / DESCRIPTION).write_text(json.dumps(document | {"format": 2}), "utf-8")
    with pytest.raises(CannotRun, match="format 2"):
        load_baseline(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1}', '{"format": 1, "classes": 3, "features": []}'])
def test_a_damaged_description_is_one_clear_error(text: str, folder: Path) -> None:
    (folder / DESCRIPTION).write_text(text, "utf-8")
    with pytest.raises(CannotRun):
        load_baseline(folder)


def test_the_keys_of_the_description_are_those_of_baselines_that_exist(folder: Path) -> None:
    document = json.loads((folder / DESCRIPTION).read_text("utf-8"))
    assert set(document) == {"format", "classes", "rows", "features", "reference"}
    assert set(document["features"][0]) == {"name", "kind", "edges", "categories", "counts", "missing"}


def test_a_reference_whose_labels_alone_were_corrected_is_described_otherwise(folder: Path, tmp_path: Path) -> None:
    table = pq.read_table(folder / REFERENCE)
    for name in ("first", "again"):
        write_baseline(table, folder=tmp_path / name, spec=SPEC)
    described = (tmp_path / "first" / DESCRIPTION).read_text("utf-8")
    assert (tmp_path / "again" / DESCRIPTION).read_text("utf-8") == described
    labels = table["label"].combine_chunks()
    flipped = pc.if_else(pc.equal(labels, labels[0]), pa.scalar("other", labels.type), labels[0])
    corrected = table.set_column(table.column_names.index("label"), "label", flipped)
    write_baseline(corrected, folder=tmp_path / "corrected", spec=SPEC)
    assert (tmp_path / "corrected" / DESCRIPTION).read_text("utf-8") != described


def test_other_rows_than_described_are_refused(folder: Path) -> None:
    pq.write_table(pq.read_table(folder / REFERENCE).slice(0, 150), folder / REFERENCE)
    with pytest.raises(CannotRun, match="150 rows"):
        load_baseline(folder)
