"""An exported model that answers differently is not published; rows that a model refuses are named."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import CannotRun
from serving.export.keras_model import KerasModel
from serving.export.parity import Difference, max_difference, try_rows
from serving.models.loading import load_version
from serving.models.runner import LoadError
from tests.serving.export_model import AlwaysDropping, Counting, Printing, exported, of_three, small_model


@pytest.mark.parametrize("noise", [AlwaysDropping(0.5), Counting()], ids=["random at inference", "frozen by the trace"])
def test_a_model_that_answers_otherwise_once_exported_is_not_published(
    noise: keras.layers.Layer, tmp_path: Path
) -> None:
    with pytest.raises(
        CannotRun, match=r"output (logits|probabilities) of (serving_default|explain).*differs by up to \d"
    ):
        exported(small_model(noise), tmp_path)
    assert not list((tmp_path / "small").iterdir())


def test_a_model_that_mixes_rows_is_refused() -> None:
    x = keras.Input((3,), name="x")
    with pytest.raises(CannotRun, match=r"outputs \[8, 3\] for 4 rows"):
        try_rows(KerasModel(keras.Model(x, keras.ops.concatenate([x, x], axis=0))), {"x": np.zeros((4, 3))})


def test_a_model_that_refuses_every_row_is_named() -> None:
    x = keras.Input((1,), name="x", dtype="string")
    model = keras.Model(x, keras.layers.StringLookup(vocabulary=["a"], num_oov_indices=0, name="strict")(x))
    rows = {"x": np.array([b"a", b"", b"?"], object)}
    tried = try_rows(KerasModel(model), rows)
    assert (tried.rows["x"].tolist(), tried.answers["outputs"].shape) == ([b"a"], (1, 1))
    with pytest.raises(CannotRun, match="fails on the rows it was tried on"):
        try_rows(KerasModel(model), {"x": np.array([b"?"] * 3, object)})


def test_rows_without_a_number_to_say_are_left_out() -> None:
    rows = {"x": np.array([[0.0, 1.0, 2.0], [np.nan] * 3, [0.0, 1.0, 2.0]], np.float32)}
    tried = try_rows(KerasModel(of_three()), rows)
    assert (len(tried.rows["x"]), tried.answers["outputs"].shape, tried.remarks) == (2, (2, 1), ())


def test_rows_that_keras_answers_with_nan_are_not_compared_and_named(tmp_path: Path) -> None:
    age = keras.Input((1,), name="age")
    hidden = keras.layers.Dense(4, activation="relu", kernel_initializer="ones")(age)
    model = keras.Model(age, keras.layers.Dense(1, activation="sigmoid", name="late")(hidden))
    ages = [float(each) if each % 8 else None for each in range(40)]
    bundle = exported(model, tmp_path, reference=pa.table({"age": pa.array(ages, pa.float64())}))
    (remark,) = [each for each in bundle.remarks if "NaN" in each]
    assert (
        "answers NaN to 5 of 40 rows that were tried (missing: age in 5); a server may answer NaN or any number"
        in remark
    )
    assert bundle.parity_rows == 35  # the two rows at the edges have no age


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
    assert max_difference(np.array(got), np.array(expected)) == pytest.approx(gap)


def test_texts_are_equal_or_not() -> None:
    assert max_difference(np.array([b"a"], object), np.array([b"a"], object)) == 0.0
    assert max_difference(np.array([b"a"], object), np.array([b"b"], object)) == np.inf


def test_the_rows_that_differ_are_shown_with_both_answers() -> None:
    expected = np.zeros((5, 2), np.float32)
    got = expected.copy()
    got[[1, 2, 3, 4], 1] = 0.25
    rows = {"temp": np.arange(5, dtype=np.float32), "city": np.array([b"NY"] * 5, object)}
    said = Difference.of("p", "serving_default", got, expected).describe(rows)
    assert said.startswith("output p of serving_default, which differs by up to 0.25, in 4 of 5 rows: row 1 temp: 1")
    assert "city: b'NY' gives [0.  , 0.25] instead of [0., 0.]; row 2 " in said
    assert "row 4" not in said, "three rows are enough"
    other = Difference.of("p", "serving_default", got.astype(np.float64), expected).describe(rows)
    assert other.endswith("inf: float64 [5, 2] instead of float32 [5, 2]")


def test_a_model_that_does_more_than_compute_is_exported_with_the_flag_that_it_needs(tmp_path: Path) -> None:
    bundle = exported(small_model(Printing()), tmp_path)
    assert any("only with --allow-op EagerPyFunc" in remark for remark in bundle.remarks)
    with pytest.raises(LoadError, match="EagerPyFunc"):
        load_version(bundle.path)
