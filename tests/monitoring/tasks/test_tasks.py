"""Small files of monitoring.tasks, each test named after what it is about."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from monitoring.records import Watch
from monitoring.tasks.classification import Classification
from monitoring.tasks.id_codes import BITS, NO_ID, id_codes, id_set_codes, split_ids
from monitoring.tasks.label_codes import has_label, label_digests, only_where
from monitoring.tasks.label_objects import label_object, texts_of_outputs
from monitoring.tasks.metrics import METRICS
from monitoring.tasks.number_codes import number_codes, numbers
from monitoring.tasks.output_names import named, split_output
from monitoring.tasks.outputs_only import OutputsOnly
from monitoring.tasks.row_operations import ROUNDING, are_probabilities, row_choices, row_maxima, row_sums
from monitoring.tasks.task import NO_LABEL, Task, WatchedOutput, surprise_watch, surprises
from tests.monitoring.watches.labelled_rows import Sample, samples


def test_codes_are_exact_in_a_float_and_apart() -> None:
    codes = id_codes(pa.array([f"item-{number}" for number in range(100_000)]))
    assert len(np.unique(codes)) == 100_000
    assert codes.min() > NO_ID
    assert codes.max() < 1 << BITS
    np.testing.assert_array_equal(codes.astype(np.float64).astype(np.int64), codes)


@pytest.mark.parametrize("text", ["7|12", "7;12", "[7, 12]", "[7.0,12.0]", '["7", "12"]', "['7', '12']", " 7 | 12 "])
def test_every_way_to_write_two_ids_is_read_alike(text: str) -> None:
    assert split_ids(pa.array([text])).to_pylist() == [["7", "12"]]


def test_a_comma_without_brackets_is_part_of_an_id() -> None:
    assert split_ids(pa.array(["Paris, France"])).to_pylist() == [["Paris, France"]]


def test_labels_are_sets_and_none_where_there_are_none_or_too_many() -> None:
    codes = id_set_codes(pa.chunked_array([["a", "b|a|b", "[]", " ", None, "a|b|c|d"]], pa.string()), 3)
    assert codes.shape == (6, 3)
    assert (codes != NO_LABEL).sum(axis=1).tolist() == [1, 2, 0, 0, 0, 0]
    a, b = id_codes(pa.array(["a", "b"])).tolist()
    assert set(codes[1].tolist()) == {a, b, NO_LABEL}
    assert id_set_codes(pa.chunked_array([[]], pa.string()), 3).shape == (0, 3)


CODES = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.tuples(CODES, CODES, CODES), min_size=1, max_size=30))
def test_digests_are_equal_for_equal_labels_and_differ_for_others(rows: list[tuple[int, int, int]]) -> None:
    codes = np.array(rows, dtype=np.int64)
    known = has_label(codes)
    digests = label_digests(codes)
    assert (digests[known] >= 0).all()
    assert (digests[~known] == NO_LABEL).all()
    np.testing.assert_array_equal(digests, label_digests(codes.copy()))
    distinct = {row for row, one in zip(rows, known.tolist(), strict=True) if one}
    assert len(set(digests[known].tolist())) == len(distinct)


def test_a_label_in_another_order_or_with_one_bit_changed_has_another_digest() -> None:
    numbers = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, np.nextafter(2.0, 3.0)], [0.0, 0.0]]).view(np.int64)
    assert len(set(label_digests(numbers).tolist())) == 4


def test_single_codes_are_their_own_digests() -> None:
    codes = np.array([0, 5, NO_LABEL, -3])
    assert label_digests(codes) is codes
    assert only_where(np.array([True, False, True, False]), codes).tolist() == [0, NO_LABEL, NO_LABEL, NO_LABEL]


def test_parts_are_text_however_they_were_written() -> None:
    words = pa.chunked_array(
        [['{"a": 1, "b": true}', '{"a": 2.5, "b": "x"}', '{"a": [1], "b": " "}', "[1]", '{"a": 1e999}', None, ""]]
    )
    first, second = texts_of_outputs(words, ("a", "b"))
    assert first.to_pylist() == ["1", "2.5", None, None, None, None, None]
    assert second.to_pylist() == ["1", "x", None, None, None, None, None]


def test_an_object_is_written_with_the_parts_that_are_known() -> None:
    assert label_object({"a": 3.0, "b": "x"}) == '{"a":"3","b":"x"}'
    assert label_object({"a": 3.0, "b": None}) == '{"a":"3"}'
    assert label_object({"a": 3.0, "b": " "}) == '{"a":"3"}'
    assert label_object({"a": 3.0, "b": [1]}) is None
    assert label_object({"a": 3.0, "b": float("inf")}) is None
    assert label_object({"a": None}) is None
    assert label_object({}) is None


@pytest.mark.parametrize("task", [Classification(classes=("no", "yes"))], ids=lambda task: type(task).__name__)
def test_every_loss_of_a_task_has_a_title(task: Task) -> None:
    assert set(task.metrics) <= set(METRICS)
    assert all(METRICS[name].title[0].isupper() for name in task.metrics)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=30))
def test_numbers_come_back_to_the_last_bit(values: list[float]) -> None:
    words = pa.chunked_array([pa.array(values, pa.float64()).cast(pa.string())], pa.string())
    codes = number_codes(words)
    assert (codes != NO_LABEL).all()
    assert numbers(codes).tolist() == [value + 0.0 for value in values]


def test_anything_else_is_no_label() -> None:
    words = pa.chunked_array([[None, "", "nan", "inf", "-inf", "12 EUR", "1,5", "0x10", "true"]], pa.string())
    assert number_codes(words).tolist() == [NO_LABEL] * 9


def test_zero_has_one_code() -> None:
    assert len(set(number_codes(pa.chunked_array([["0", "-0.0", "0.00", "0e5"]])).tolist())) == 1


def test_without_a_label_there_is_no_number() -> None:
    assert np.isnan(numbers(np.array([NO_LABEL]))).all()


@pytest.mark.parametrize("watch", ["error", "surprise_brier", "estimated_brier", "prediction:location", "output:late"])
def test_names_are_read_as_they_were_made(watch: str) -> None:
    assert split_output(named("kind", watch)) == ("kind", watch)
    assert split_output(watch) == ("", watch)


WATCHED = (WatchedOutput(name="tags", width=2), WatchedOutput(name="pixels", width=16))
RNG = np.random.default_rng(0)
ANSWERS = RNG.normal(size=(400, 5))
TASK = OutputsOnly(watched=WATCHED).fitted(ANSWERS)


def test_each_number_has_a_location_and_a_spread_among_the_baselines_own() -> None:
    assert TASK.number_names == ("tags[0]", "tags[1]", "pixels mean", "pixels deviation", "pixels largest")
    names = [watch.name for watch in TASK.output_watches]
    assert names[:2] == ["prediction:tags[0]:location", "prediction:tags[0]:spread"]
    scores = TASK.outputs(ANSWERS)
    assert list(scores) == names
    assert all(abs(float(values.mean()) - 0.5) < 0.02 for values in scores.values())
    far = TASK.outputs(ANSWERS + 10.0)
    assert all(values.min() == 1.0 for values in far.values())


def test_no_loss_is_made_of_labels_whatever_they_are() -> None:
    labels = TASK.label_codes(pa.chunked_array([["late", "3.5", " ", None]]))
    assert labels.tolist() == [0, 0, NO_LABEL, NO_LABEL]
    assert (TASK.metrics, TASK.loss_watches, TASK.losses(ANSWERS[:4], labels)) == ((), (), {})


def test_the_task_is_read_back_from_json() -> None:
    assert OutputsOnly.of(json.loads(json.dumps(TASK.document()))) == TASK


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(2, 5)), elements=st.floats(0, 1)))
def test_normalised_rows_are_probabilities_and_scaled_ones_are_not(weights: np.ndarray) -> None:
    values = (weights + 0.01) / (weights + 0.01).sum(axis=1, keepdims=True)
    assert are_probabilities(values).all()
    assert not are_probabilities(values * (1 + 2 * ROUNDING)).any()
    assert not are_probabilities(-values).any()


def test_of_rows_with_several_classes_each_number_counts_by_itself() -> None:
    values = np.array([[0.9, 0.8], [0.9, 1.1], [np.nan, 0.5]])
    assert are_probabilities(values, exclusive=False).tolist() == [True, False, False]


@given(samples())
def test_row_operations_are_numpys_to_the_bit(sample: Sample) -> None:
    values, _ = sample
    np.testing.assert_array_equal(row_sums(values), values.sum(axis=1))
    np.testing.assert_array_equal(row_maxima(values), values.max(axis=1))
    np.testing.assert_array_equal(row_choices(values), values.argmax(axis=1))


def test_many_columns_are_added_as_numpy_adds_them_and_none_are_zero() -> None:
    values = np.random.default_rng(0).random((100, 40))
    np.testing.assert_array_equal(row_sums(values), values.sum(axis=1))
    assert row_sums(np.zeros((3, 0))).tolist() == [0.0, 0.0, 0.0]


LOSS = Watch(name="absolute_error", family="performance", level="page", needs_label=True, scale=20.0)


def test_a_loss_is_its_expectation_plus_its_surprise_in_the_losss_own_unit() -> None:
    realised, expected = np.array([0.0, 0.25, 1.0]), np.array([1.0, 0.25, 0.5])
    watch = surprise_watch(LOSS)
    scores = surprises({"absolute_error": realised}, {"absolute_error": expected})[watch.name]
    assert ((scores >= 0.0) & (scores <= 1.0)).all()
    values = [watch.value(score) for score in scores.tolist()]
    assert values == pytest.approx((20.0 * (realised - expected)).tolist())


def test_a_score_of_one_half_is_no_surprise_and_it_pages() -> None:
    watch = surprise_watch(LOSS)
    assert (watch.value(0.0), watch.value(0.5), watch.value(1.0)) == (-20.0, 0.0, 20.0)
    assert (watch.family, watch.level, watch.needs_label) == ("surprise", "page", True)
