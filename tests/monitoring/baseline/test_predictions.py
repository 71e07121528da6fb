"""Predictions out of a table: final types, problems by column, and labels by name or number."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.predictions import as_text, inputs_from, microseconds, no_predictions, predictions_from
from monitoring.errors import BadInput
from monitoring.tasks.classification import Classification
from monitoring.tasks.task import NO_LABEL, UNKNOWN_CLASS
from tests.monitoring.baseline.reference_tables import MICROSECONDS, SPEC, reference, table


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (pa.array(["warm", "cold"]), "type changed to string"),
        (pa.array([[1.0], [2.0]]), "type changed to list<item: double>"),
        (None, "absent"),
    ],
    ids=["text for a number", "lists", "gone"],
)
def test_a_broken_column_is_a_problem_and_not_a_crash(column: pa.Array | None, problem: str) -> None:
    plain = table([1.0, 2.0], ["p", "q"]).drop_columns(["x"])
    found = predictions_from(plain if column is None else plain.append_column("x", column), SPEC)
    assert found.problems == (("x", problem),)
    assert np.isnan(np.asarray(found.features["x"])).all()
    assert found.features["c"].to_pylist() == ["p", "q"]
    assert (found.labels == NO_LABEL).all()


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, None], pa.int8()),
        pa.array([1.0, float("nan")], pa.float32()),
        pa.array([True, None]),
        pa.array([1.0, None], pa.float64()),
    ],
)
def test_numbers_of_any_type_become_float64_with_nan_for_missing(column: pa.Array) -> None:
    plain = table([0.0, 0.0], ["p", "q"]).drop_columns(["x"]).append_column("x", column)
    found = predictions_from(plain, SPEC)
    assert found.problems == ()
    values = np.asarray(found.features["x"])
    assert values.dtype == np.float64
    assert values[0] == 1.0
    assert np.isnan(values[1])


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()])
def test_text_of_any_type_becomes_strings_with_null_for_missing(kind: pa.DataType) -> None:
    column = pa.array([b"p", None]).cast(pa.binary()).cast(kind)
    found = predictions_from(table([0.0, 0.0], ["", ""]).drop_columns(["c"]).append_column("c", column), SPEC)
    assert found.problems == ()
    assert found.features["c"].to_pylist() == ["p", None]


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    assert as_text(pa.array([b"\xff", b"ok", None])).to_pylist() == ["\ufffd", "ok", None]


def test_labels_are_read_by_name_or_by_number_and_others_are_of_an_unknown_class() -> None:
    rows = table([1.0] * 4, ["p"] * 4)
    rows = rows.append_column("label", pa.array(["b", "0", "late", None]))
    rows = rows.append_column("label_time", pa.array([1] * 4).cast(MICROSECONDS))
    assert predictions_from(rows, SPEC).labels.tolist() == [1, 0, UNKNOWN_CLASS, NO_LABEL]


def test_a_label_without_a_time_is_none() -> None:
    rows = table([1.0] * 2, ["p"] * 2).append_column("label", pa.array(["b", "a"]))
    rows = rows.append_column("label_time", pa.array([None, 3]).cast(MICROSECONDS))
    found = predictions_from(rows, SPEC)
    assert found.labels.tolist() == [NO_LABEL, 0]
    assert found.label_times.tolist() == [0, 3]


@given(st.lists(st.none() | st.sampled_from(["a", "b", "0", "1", "2", "", "A"]), max_size=20))
def test_a_label_is_its_class_or_none(words: list[str | None]) -> None:
    found = Classification(classes=("a", "b")).label_codes(pa.chunked_array([pa.array(words, pa.string())]))
    expected = {"a": 0, "b": 1, "0": 0, "1": 1, "A": 0, "": NO_LABEL}
    assert found.tolist() == [expected.get(word or "", UNKNOWN_CLASS) for word in words]


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_times_of_any_unit_are_microseconds(unit: str) -> None:
    column = pa.chunked_array([pa.array([1, None]).cast(pa.timestamp(unit, "UTC"))])
    assert microseconds(column).tolist() == [{"s": 10**6, "ms": 10**3, "us": 1}[unit], 0]


def test_nanoseconds_are_cut_off() -> None:
    column = pa.chunked_array([pa.array([1_780_272_496_017_164_695, None], pa.timestamp("ns", "UTC"))])
    assert microseconds(column).tolist() == [1_780_272_496_017_164, 0]


def test_probabilities_that_are_absent_or_not_one_per_class_are_refused() -> None:
    rows = table([1.0] * 2, ["p"] * 2)
    with pytest.raises(BadInput, match="have no probabilities"):
        predictions_from(rows.drop_columns(["probabilities"]), SPEC)
    three = rows.set_column(4, "probabilities", pa.array([[0.2, 0.3, 0.5]] * 2))
    with pytest.raises(BadInput, match="do not fit the classes"):
        predictions_from(three, SPEC)
    named = rows.rename_columns([*rows.column_names[:-1], "scores"])
    assert predictions_from(named, SPEC, probabilities="scores").probabilities.shape == (2, 2)


@given(st.lists(st.integers(0, 19), max_size=25))
def test_taking_rows_takes_every_column(places: list[int]) -> None:
    whole = predictions_from(reference(20), SPEC)
    found = whole.take(np.array(places, dtype=np.int64))
    assert found.ids.to_pylist() == [whole.ids[place].as_py() for place in places]
    assert found.event_times.tolist() == whole.event_times[places].tolist()
    assert found.labels.tolist() == whole.labels[places].tolist()
    assert found.features["c"].to_pylist() == [whole.features["c"][place].as_py() for place in places]
    assert len(found) == len(places)


def test_all_rows_in_their_order_are_not_copied() -> None:
    whole = predictions_from(reference(20), SPEC)
    assert whole.take(np.arange(20)) is whole
    assert whole.take(np.ones(20, np.bool_)) is whole
    assert whole.take(np.arange(20)[::-1]) is not whole


def test_other_labels_leave_everything_else() -> None:
    whole = predictions_from(reference(5), SPEC)
    found = whole.labelled(np.arange(5), np.arange(5) * 10)
    assert found.labels.tolist() == list(range(5))
    assert found.label_times.tolist() == [0, 10, 20, 30, 40]
    assert found.ids is whole.ids


def test_no_predictions_have_the_columns_of_a_baseline() -> None:
    none = no_predictions(SPEC)
    assert len(none) == 0
    assert none.features.schema.types == [pa.float64(), pa.string()]
    assert none.probabilities.shape == (0, 2)


def test_some_inputs_are_read_by_name_and_absent_ones_are_missing() -> None:
    found = inputs_from(table([1.0, None], ["p", None]), SPEC, ["c", "other"])
    assert found["c"].to_pylist() == ["p", None]
    assert np.isnan(np.asarray(found["other"])).all()
