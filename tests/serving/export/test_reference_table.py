"""A reference table fits its model, or every problem is named; rows are sampled from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.spec import BaselineSpec
from monitoring.errors import BadInput
from serving.export.answers.model_answers import answers_of
from serving.export.inputs.input_roles import input_roles
from serving.export.inputs.model_inputs import ModelInput
from serving.export.keras_model import KerasModel
from serving.export.reference_table import (
    MOST_BYTES,
    baseline_spec,
    check_reference,
    complete,
    match_columns,
    row_bytes,
    sample,
)
from serving.export.table_file import table_of
from tests.serving.export_model import CLASSES, NOW, of_three, reference_table, small_model


def spec_of(opened: KerasModel) -> BaselineSpec:
    """The baseline's specification of a model all of whose scalars are watched."""
    return baseline_spec(input_roles(None, opened.inputs).features, CLASSES)


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


def test_a_table_without_the_columns_says_how_to_name_them() -> None:
    model = KerasModel(of_three())
    table = match_columns(pa.table({"a": [1.0], "b": [1.0], "c": [1.0]}), model)
    with pytest.raises(
        BadInput,
        match=r"no column x, and input x takes \[3\] a row; .*--features with one name for each number of x \[3\]",
    ):
        check_reference(table, model, ())
    with pytest.raises(BadInput, match=r"--label late; expected one of a, b"):
        match_columns(pa.table({"a": [1.0], "b": [1.0]}), model, "late")


def test_a_list_column_is_taken_apart_for_features() -> None:
    table = match_columns(table_of({"x": np.arange(6.0).reshape(2, 3)}), KerasModel(of_three(), ("a", "b", "c")))
    assert table.to_pydict() == {"a": [0.0, 3.0], "b": [1.0, 4.0], "c": [2.0, 5.0]}


def test_the_rows_tried_hold_everything_missing_and_something_unseen(opened: KerasModel) -> None:
    rows = sample(reference_table(), opened.inputs, np.random.default_rng(0))
    assert {len(column) for column in rows.values()} == {258}
    assert rows["carrier"][-2] == b""
    assert np.isnan([rows["temp"][-2], rows["dist"][-2]]).all()
    assert rows["carrier"][-1] not in {b"AA", b"B6", b"UA", b""}


def test_a_table_shorter_than_the_sample_is_taken_whole(opened: KerasModel) -> None:
    rows = sample(reference_table(30), opened.inputs, np.random.default_rng(0))
    assert rows["dist"][:30].tolist() == reference_table(30)["dist"].to_pylist()


def test_the_fix_names_this_models_inputs_and_these_classes(opened: KerasModel) -> None:
    table = reference_table().drop_columns(["dist", "label"])
    with pytest.raises(BadInput) as refused:
        check_reference(table, opened, ("soon", "never"))
    assert "--features with one name for each number of carrier, temp, dist." in refused.value.fix
    assert "were soon, never: --classes." in refused.value.fix
    assert "Name the column of the labels: --label." in refused.value.fix
    assert "on_time" not in refused.value.fix


def test_a_matched_table_is_completed_where_it_lacks_something(opened: KerasModel) -> None:
    inputs = reference_table(5).select(["carrier", "temp", "dist"])
    table = complete(inputs, opened, spec_of(opened), NOW)
    assert table["prediction_id"].to_pylist() == [f"reference-{row}:0" for row in range(5)]
    assert table["event_time"].to_pylist() == [NOW] * 5
    assert table["label"].to_pylist() == table["label_time"].to_pylist() == [None] * 5
    np.testing.assert_array_equal(
        np.stack(table["probabilities"].to_pylist()), answers_of(inputs, opened, "probabilities")
    )
    whole = reference_table(5)
    assert repr(complete(whole, opened, spec_of(opened), NOW).select(whole.column_names).to_pydict()) == repr(
        whole.to_pydict()
    )


def test_labels_without_times_have_the_time_of_the_event(opened: KerasModel) -> None:
    table = complete(reference_table(20).drop_columns(["label_time"]), opened, spec_of(opened), NOW)
    expected = [
        None if label is None else time
        for label, time in zip(table["label"].to_pylist(), table["event_time"].to_pylist(), strict=True)
    ]
    assert table["label_time"].to_pylist() == expected


def test_columns_are_matched_by_the_label_that_is_named_and_the_only_one_left(opened: KerasModel) -> None:
    table = reference_table(3).append_column("truth", pa.array(["late"] * 3))
    assert match_columns(table, opened, "truth")["label"].to_pylist() == ["late"] * 3
    assert match_columns(table, opened)["label"].to_pylist() == reference_table(3)["label"].to_pylist()
    single = KerasModel(of_three())
    lists = pa.table({"picture": [[1.0, 2.0, 3.0]], "label": ["late"]})
    assert match_columns(lists, single).to_pydict() == {"x": [[1.0, 2.0, 3.0]], "label": ["late"]}


def test_without_a_reference_rows_are_generated(opened: KerasModel) -> None:
    rows = sample(None, opened.inputs, np.random.default_rng(0))
    assert {name: len(column) for name, column in rows.items()} == {"carrier": 256, "temp": 256, "dist": 256}
    assert set(rows["carrier"]) == {b""}
    assert np.isfinite(rows["temp"]).all()
    whole = ModelInput(name="x", dtype="int32", shape=(2, -1))
    assert sample(None, (whole,), np.random.default_rng(0))["x"].shape == (256, 2, 32)


def test_a_sample_of_large_rows_is_small() -> None:
    image = ModelInput(name="image", dtype="float32", shape=(512, 512, 3))
    assert row_bytes((image,)) == 8 * 512 * 512 * 3
    assert len(sample(None, (image,), np.random.default_rng(0))["image"]) == MOST_BYTES // row_bytes((image,))
