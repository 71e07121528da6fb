"""Models, modules and tables of somebody's own that do not fit: said by name, with what to do."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput, CannotRun
from serving.export.export import export_bundle
from serving.export.input_arrays import array_of, problem_of
from serving.export.keras_file import import_custom, load_keras
from serving.export.keras_model import KerasModel
from serving.export.manifest import Provenance
from serving.export.model_inputs import FeedPlan, ModelInput
from serving.export.parity import rehearse
from serving.export.probabilities import classes_of, find_score
from serving.export.reference_table import check_reference, match_columns
from serving.export.table_file import read_table, table_of
from tests.serving.export_model import now
from tests.serving.own_layers import Shifting, Untraceable

OWN_LAYERS = str(Path(__file__).with_name("own_layers.py"))


def of_three(*layers: keras.layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((3,), name="x"), *layers, keras.layers.Dense(1)])


def test_a_file_that_needs_other_classes_names_them(tmp_path: Path) -> None:
    class Foreign(keras.layers.Layer):  # type: ignore[misc] # Keras has no types
        def call(self, inputs: Any) -> Any:
            return inputs

    of_three(Foreign(), Shifting()).save(tmp_path / "foreign.keras")
    with pytest.raises(BadInput, match=r"foreign\.keras needs Foreign, Shifting; .*--custom MODULE"):
        load_keras(tmp_path / "foreign.keras")
    with pytest.raises(BadInput, match=r"needs Foreign, and not in own_layers;"):
        load_keras(tmp_path / "foreign.keras", import_custom(OWN_LAYERS))


def test_a_broken_file_and_one_with_code_in_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "broken.keras", "w") as made:
        made.writestr("config.json", "{")
    with pytest.raises(BadInput, match=r"cannot be loaded\. .*broken"):
        load_keras(tmp_path / "broken.keras")
    of_three(keras.layers.Lambda(lambda tensor: tensor * 2)).save(tmp_path / "code.keras")
    with pytest.raises(BadInput, match=r"holds Python code.*a Lambda layer.*--custom"):
        load_keras(tmp_path / "code.keras")


@pytest.mark.parametrize("name", ["no.such_module", "gone.py"])
def test_a_module_that_is_not_there(name: str) -> None:
    with pytest.raises(BadInput, match=f"cannot be imported.*{name}: [A-Za-z]+Error"):
        import_custom(name)


def test_a_layer_that_cannot_be_traced_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"cannot be traced.*Untraceable 'stubborn'.*keras\.ops"):
        export_bundle(
            of_three(Untraceable(name="stubborn")),
            name="own",
            models=tmp_path,
            reference=None,
            provenance=Provenance(),
            clock=now,
        )
    assert not list((tmp_path / "own").iterdir())


def test_a_model_that_mixes_rows_is_refused() -> None:
    x = keras.Input((3,), name="x")
    with pytest.raises(CannotRun, match=r"outputs \[8, 3\] for 4 rows"):
        rehearse(KerasModel(keras.Model(x, keras.ops.concatenate([x, x], axis=0))), {"x": np.zeros((4, 3))})


def test_a_model_that_refuses_every_row_is_named() -> None:
    x = keras.Input((1,), name="x", dtype="string")
    model = keras.Model(x, keras.layers.StringLookup(vocabulary=["a"], num_oov_indices=0, name="strict")(x))
    rows = {"x": np.array([b"a", b"", b"?"], object)}
    kept, answers = rehearse(KerasModel(model), rows)
    assert (kept["x"].tolist(), answers["outputs"].shape) == ([b"a"], (1, 1))
    with pytest.raises(CannotRun, match="fails on the rows it was tried on"):
        rehearse(KerasModel(model), {"x": np.array([b"?"] * 3, object)})


def test_rows_without_a_number_to_say_are_left_out() -> None:
    rows = {"x": np.array([[0.0, 1.0, 2.0], [np.nan] * 3, [0.0, 1.0, 2.0]], np.float32)}
    kept, answers = rehearse(KerasModel(of_three()), rows)
    assert (len(kept["x"]), answers["outputs"].shape) == (1, (1, 1))


def test_features_that_do_not_fit_the_model() -> None:
    with pytest.raises(BadInput, match=r"2 features; expected x \[3\]"):
        KerasModel(of_three(), ("a", "b"))
    tensors = [ModelInput(name="x", dtype="float32", shape=(2,)), ModelInput(name="a", dtype="string", shape=())]
    with pytest.raises(BadInput, match="one name"):
        FeedPlan([tensors[0], ModelInput(name="y", dtype="float32", shape=(2,))], ("a", "b", "a", "c"))
    plan = FeedPlan(tensors, ("p", "q", "city"))
    assert plan.columns == {"p": "p", "q": "q", "a": "city"}
    assert FeedPlan(tensors, ("lists", "city")).columns == {"x": "lists", "a": "city"}
    assert FeedPlan(tensors, ("a", "x")).columns == {"x": "x", "a": "a"}


def test_a_table_without_the_columns_says_how_to_name_them() -> None:
    model = KerasModel(of_three())
    table = match_columns(pa.table({"a": [1.0], "b": [1.0], "c": [1.0]}), model)
    with pytest.raises(BadInput, match=r"no column x, and input x takes \[3\] a row; .*--features a,b,c"):
        check_reference(table, model, ())
    with pytest.raises(BadInput, match=r"--label late; expected one of a, b"):
        match_columns(pa.table({"a": [1.0], "b": [1.0]}), model, "late")


def test_an_empty_label_is_not_known_and_no_class() -> None:
    model = KerasModel(of_three())
    lists = pa.array([[1.0, 2.0, 3.0]] * 3)
    for labels in (pa.array(["", "late", None]), pa.array(["", "late", None]).dictionary_encode()):
        table = match_columns(pa.table({"x": lists, "late": labels}), model, "late")
        assert table["label"].to_pylist() == [None, "late", None]
        check_reference(table, model, ("on_time", "late"))
        with pytest.raises(BadInput, match="labels late are not among the classes a, b"):
            check_reference(table, model, ("a", "b"))


def test_a_list_column_is_taken_apart_for_features() -> None:
    table = match_columns(table_of({"x": np.arange(6.0).reshape(2, 3)}), KerasModel(of_three(), ("a", "b", "c")))
    assert table.to_pydict() == {"a": [0.0, 3.0], "b": [1.0, 4.0], "c": [2.0, 5.0]}


@pytest.mark.parametrize(
    ("column", "dtype", "shape", "problem"),
    [
        (["a"], "float32", (), "is string, and the model takes float32"),
        ([1], "string", (), "is int64, and the model takes text"),
        ([1.5], "int32", (), "has fractions, and the model takes int32"),
        ([1, None], "int32", (), "has 1 missing values"),
        ([300], "uint8", (), "has values from 300 to 300, and uint8 holds 0 to 255"),
        ([2], "bool", (), "has values from 2 to 2, and bool holds 0 to 1"),
        ([[1.0, 2.0]], "float32", (3,), r"has a list of shape \[2\] a row, and the model takes a list of shape \[3\]"),
        ([[1.0], [1.0, 2.0]], "float32", (2,), "has rows of different sizes"),
        ([[1.0, 2.0], None], "float32", (2,), "has 1 rows without a list"),
        ([1.0], "float32", (2,), "has one value a row"),
        ([[[1.0, 2.0]]], "float32", (2, 3), r"has a list of shape \[1, 2\] a row"),
    ],
)
def test_a_column_that_does_not_fit_says_why(column: Any, dtype: str, shape: tuple[int, ...], problem: str) -> None:
    import re

    assert re.match(problem, problem_of(pa.chunked_array([column]), ModelInput(name="x", dtype=dtype, shape=shape)))


@pytest.mark.parametrize(
    ("column", "dtype", "shape"),
    [
        ([2**53, 1], "int64", ()),
        ([1.0, 2.0], "int32", ()),
        ([True, False], "float32", ()),
        ([0, 1], "bool", ()),
        ([[1.0], [2.0]], "float32", ()),
        ([[1, 2, 3, 4]], "float32", (2, 2, 1)),
        ([[[1, 2], [3, 4]]], "float32", (2, 2, 1)),
        ([[[[1], [2]], [[3], [4]]]], "uint8", (-1, -1, 1)),
        ([["a", None]], "string", (2,)),
    ],
)
def test_a_column_that_fits_is_the_array(column: Any, dtype: str, shape: tuple[int, ...]) -> None:
    one = ModelInput(name="x", dtype=dtype, shape=shape)
    made = pa.chunked_array([column])
    assert problem_of(made, one) == ""
    array = array_of(made, one)
    wanted = np.array([[b"a", b""]], object) if dtype == "string" else np.array(column, dtype)
    assert array.reshape(-1).tolist() == wanted.reshape(-1).tolist()
    assert array.dtype == ("object" if dtype == "string" else dtype)


def test_a_missing_number_is_nan_and_a_dictionary_is_text() -> None:
    numbers = array_of(pa.chunked_array([[1, None]]), ModelInput(name="x", dtype="float32", shape=()))
    np.testing.assert_array_equal(numbers, [1, np.nan])
    words = pa.chunked_array([pa.array(["a", None]).dictionary_encode()])
    assert array_of(words, ModelInput(name="x", dtype="string", shape=())).tolist() == [b"a", b""]


def test_tables_of_every_format_are_the_same(tmp_path: Path) -> None:
    table = pa.table({"a": [1.5, 2.5], "b": ["x", "y"]})
    (tmp_path / "t.csv").write_text("a,b\n1.5,x\n2.5,y\n")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress((tmp_path / "t.csv").read_bytes()))
    np.savez(tmp_path / "t.npz", a=[1.5, 2.5], b=["x", "y"])
    pa.parquet.write_table(table, tmp_path / "t.parquet")
    for suffix in ("csv", "csv.gz", "npz", "parquet"):
        assert read_table(tmp_path / f"t.{suffix}").to_pydict() == table.to_pydict()


def test_a_table_that_cannot_be_read_names_its_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "lengths.npz", a=[1, 2], b=[1])
    np.save(tmp_path / "pickled.npy", np.array([{"a": 1}], object), allow_pickle=True)
    for name in ("text.parquet", "text.npz", "text.npy"):
        (tmp_path / name).write_text("no table")
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(BadInput, match=f"cannot be read.*{path.name}"):
            read_table(path)
    with pytest.raises(BadInput, match="No such reference table"):
        read_table(tmp_path / "gone.csv")


def test_classes_that_fit_no_output_or_two() -> None:
    three, two, one = np.zeros((4, 3)), np.ones((4, 2)), np.ones((4, 1))
    for answers in ({"a": three, "b": three}, {"a": two}, {"probabilities": two}, {"a": np.array([b"x"])}):
        with pytest.raises(BadInput, match="do not fit the model's outputs"):
            find_score(answers, 3)
    found = find_score({"logits": three, "embedding": three, "price": one}, 3)
    assert found is not None
    assert (found.source, found.form) == ("logits", "logits")


def test_labels_that_are_words_need_their_order() -> None:
    with pytest.raises(BadInput, match="--classes late,on_time"):
        classes_of(["on_time", "late"], {"outputs": np.zeros((3, 2))}, text=True)
    assert classes_of(["3.5"], {"outputs": np.zeros((3, 1))}, text=False) == ()
    assert classes_of(["0", "7"], {"outputs": np.zeros((3, 1))}, text=False) == ()
    assert classes_of(["a", "b", "c"], {"outputs": np.zeros((3, 1))}, text=True) == ()


def test_labels_that_are_no_places_in_an_output_are_said_to_be_none(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(3)])

    def said(labels: Any, *classes: str) -> tuple[str, ...]:
        table = pa.table({"x": [[1.0, 2.0, 3.0]] * 6, "label": labels})
        made = Provenance(classes=classes)
        return export_bundle(model, name="own", models=tmp_path, reference=table, provenance=made, clock=now).remarks

    one = said(pa.array([1, 2, 3, None, 3, 3]))[-1]
    assert one.endswith(
        "The labels (1, 2, 3) are no places, from 0 on, among the numbers of an output: for a classifier, name its "
        "classes in the order of its answer, --classes 1,2,3."
    )
    assert not any("no places" in remark for remark in said(pa.array([1, 2, 3, None, 3, 3]), "1", "2", "3"))
    assert "(0, 1, 2, 3, 4, …)" in said(pa.array([0, 1, 2, 3, 4, 5]))[-1]
    assert said(pa.nulls(6, pa.int64()))[-1].endswith("no label that is known: for a classifier, name --classes.")


def test_the_command_line_exports_somebodys_model(tmp_path: Path, pitfalls: Any) -> None:
    keras.Sequential([keras.Input((2,)), Shifting(), keras.layers.Dense(1)]).save(tmp_path / "own.keras")
    (tmp_path / "rows.csv").write_text("temp,wind,late\n1,2,1\n3,4,0\n5,6,1\n")
    done = pitfalls(
        "export", tmp_path / "own.keras", "--name", "own", "--models", tmp_path / "models", "--json",
        "--reference", tmp_path / "rows.csv", "--features", "temp,wind", "--label", "late", "--custom", OWN_LAYERS,
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["version"], document["baseline"]) == (1, True)
    assert document["outputs"] == ["logits", "probabilities"]
    assert any("no event_time" in remark for remark in document["remarks"])
    wrong = pitfalls("export", tmp_path / "own.keras", "--name", "own", "--models", tmp_path / "models")
    assert wrong.exit_code == 2
    assert "needs Shifting" in wrong.stderr
