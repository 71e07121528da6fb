"""What cannot become a bundle is refused by name before anything is written."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from serving.export.keras_file import load_keras
from serving.export.keras_model import KerasModel
from serving.export.parity import difference
from serving.export.reference_table import check_reference, sample
from tests.serving.export_model import CLASSES, reference_table, small_model


@pytest.fixture(scope="module")
def opened() -> KerasModel:
    return KerasModel(small_model())


def changed(name: str, column: Any) -> pa.Table:
    table = reference_table()
    return table.set_column(table.column_names.index(name), name, column)


@pytest.mark.parametrize("name", ["carrier", "temp"])
def test_an_absent_column_is_named(opened: KerasModel, name: str) -> None:
    with pytest.raises(BadInput, match=f"no column {name}[,.;]"):
        check_reference(reference_table().drop_columns([name]), opened, CLASSES)


@pytest.mark.parametrize(
    ("name", "column", "problem"),
    [
        ("temp", pa.array(["warm"] * 400), "column temp is string"),
        ("carrier", pa.array(np.arange(400)), "column carrier is int64"),
        ("event_time", pa.array(np.arange(400)), "column event_time is int64"),
        ("probabilities", pa.array(np.zeros(400)), "column probabilities is double"),
        ("probabilities", pa.array([[0.2, 0.3, 0.5]] * 400), "probabilities of length 3 for 2 classes"),
        ("probabilities", pa.array([[0.2, 0.8], None] * 200), "probabilities of length 2, 0 for 2 classes"),
        ("label", pa.array(["soon"] * 400), "labels soon are not among the classes on_time, late"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_column_that_does_not_fit_is_named(opened: KerasModel, name: str, column: Any, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        check_reference(changed(name, column), opened, CLASSES)


def test_a_time_as_text_is_told_what_is_wanted_of_it(opened: KerasModel) -> None:
    with pytest.raises(BadInput) as refused:
        check_reference(changed("event_time", pa.array(["yesterday"] * 400)), opened, CLASSES)
    assert refused.value.got == "column event_time is string"
    assert refused.value.expected == "event_time: a timestamp or a date"
    assert "pandas.to_datetime" in refused.value.fix
    assert "--features" not in refused.value.fix
    wrong = changed("event_time", pa.array(["yesterday"] * 400)).drop_columns(["dist"])
    with pytest.raises(BadInput, match=r"no column dist; column event_time is string; expected carrier string, .*"):
        check_reference(wrong, opened, CLASSES)


def test_every_problem_is_in_one_message(opened: KerasModel) -> None:
    with pytest.raises(BadInput) as refused:
        check_reference(changed("temp", pa.array(["warm"] * 400)).drop_columns(["dist"]), opened, ("a", "b", "c"))
    for problem in ("2 probabilities for 3 classes", "column temp is string", "no column dist", "labels late, on_time"):
        assert problem in str(refused.value)


def test_no_rows_are_no_reference(opened: KerasModel) -> None:
    with pytest.raises(BadInput, match="no rows"):
        check_reference(reference_table().slice(0, 0), opened, CLASSES)


def test_the_rows_tried_hold_everything_missing_and_something_unseen(opened: KerasModel) -> None:
    rows = sample(reference_table(), opened.inputs, np.random.default_rng(0))
    assert {len(column) for column in rows.values()} == {258}
    assert rows["carrier"][-2] == b""
    assert np.isnan([rows["temp"][-2], rows["dist"][-2]]).all()
    assert rows["carrier"][-1] not in {b"AA", b"B6", b"UA", b""}


def test_a_table_shorter_than_the_sample_is_taken_whole(opened: KerasModel) -> None:
    rows = sample(reference_table(30), opened.inputs, np.random.default_rng(0))
    assert rows["dist"][:30].tolist() == reference_table(30)["dist"].to_pylist()


@pytest.mark.parametrize(
    ("got", "expected", "gap"),
    [
        ([1.0, np.nan], [1.0, np.nan], 0.0),
        ([1.0, np.nan], [1.0, 2.0], np.inf),
        ([np.inf], [np.inf], 0.0),
        ([np.inf], [1.0], np.inf),
        ([0.5], [0.25], 0.25),
        ([1e6 + 1], [1e6], 1e-6),
        ([1.0, 2.0], [1.0], np.inf),
        ([], [], 0.0),
    ],
)
def test_differences(got: list[float], expected: list[float], gap: float) -> None:
    assert difference(np.array(got), np.array(expected)) == pytest.approx(gap)


def test_texts_are_equal_or_not() -> None:
    assert difference(np.array([b"a"], object), np.array([b"a"], object)) == 0.0
    assert difference(np.array([b"a"], object), np.array([b"b"], object)) == np.inf


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"No such file.*gone\.keras"):
        load_keras(tmp_path / "gone.keras")


def test_not_a_keras_file(tmp_path: Path) -> None:
    text, archive, other = tmp_path / "text.keras", tmp_path / "zip.keras", tmp_path / "model.h5"
    text.write_text("weights")
    other.write_bytes(b"\x89HDF")
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("readme", "no model")
    for path in (text, archive, other):
        with pytest.raises(BadInput, match="Not a Keras file"):
            load_keras(path)


def test_a_subclassed_model_does_not_say_what_it_takes() -> None:
    class Own(keras.Model):  # type: ignore[misc] # Keras has no types
        def call(self, inputs: Any) -> Any:
            return inputs

    with pytest.raises(BadInput, match=r"does not say what it takes.*Own"):
        KerasModel(Own())


def test_a_name_that_tensorflow_would_change_is_refused() -> None:
    scalar = keras.Input((1,), name="wind speed")
    with pytest.raises(BadInput, match="'wind speed'"):
        KerasModel(keras.Model(scalar, keras.layers.Dense(1)(scalar)))
