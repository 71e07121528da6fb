"""Lists of ids and of scores as answers, in whatever form a table has them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.tasks.ranking import Ranking
from monitoring.traffic.ranked_ids import MAX_FIRST, check_relevant, listed_ids, often_first, ranked_answers

TASK, SCORED = Ranking(places=3), Ranking(places=3, scored=True)
LISTS = pa.array([["7", "8"], ["9"], [], None, ["7", None, "9", "1"]])


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([[7, 8], [9], [], None, [7, None, 9, 1]]),
        pa.array([[7.0, 8.0], [9.0], [], None, [7.0, None, 9.0, 1.0]]),
        pa.array(["7|8", "9", "[]", None, "7||9|1"]),
        pa.array(["[7, 8]", "[9]", "", None, "[7, '', 9, 1]"]),
        LISTS.cast(pa.large_list(pa.large_string())),
    ],
    ids=["whole", "float", "bars", "JSON", "large"],
)
def test_every_form_of_the_same_ids_is_one_answer(cells: pa.Array) -> None:
    np.testing.assert_array_equal(ranked_answers(cells, None, TASK), ranked_answers(LISTS, None, TASK))


def test_ids_after_the_last_place_do_not_count_and_gaps_stay() -> None:
    found = ranked_answers(LISTS, None, TASK)
    assert (found[4] > 0).tolist() == [True, False, True]
    assert np.isnan(found[2:4]).all()
    assert found[1, 1:].tolist() == [0.0, 0.0]


def test_an_answer_needs_a_number_for_each_id() -> None:
    ids = pa.array([["a", "b"], ["a", "b"], ["a"], ["a"]])
    for scores in (pa.array([[0.5, 0.25], [0.5], [float("nan")], None]), pa.array(["[0.5, 0.25]", "0.5", "x", None])):
        found = ranked_answers(ids, scores, SCORED)
        assert found[0, 3:].tolist() == [0.5, 0.25, 0.0]
        assert np.isnan(found[1:]).all()
    assert np.isnan(ranked_answers(ids, None, SCORED)).all()


def test_plain_cells_are_one_id_each_and_others_are_none() -> None:
    ids, lengths = listed_ids(pa.array([7, None]))
    assert (ids.to_pylist(), lengths.tolist()) == (["7", None], [1, 1])
    assert listed_ids(pa.array([{"a": 1}]))[1].tolist() == [0]
    assert np.isnan(ranked_answers(pa.array([{"a": 1}]), None, TASK)).all()


def test_what_stands_for_no_id_is_none_whether_a_number_or_a_word() -> None:
    task = Ranking(places=3)
    numbers = ranked_answers(pa.array([[7, -1, -1], [-1, -1, -1]]), None, task)
    words = ranked_answers(pa.array([["7", "[UNK]", ""], ["[UNK]", "", ""]]), None, task)
    np.testing.assert_array_equal(numbers, words)
    assert (numbers[0] > 0).tolist() == [True, False, False]
    assert np.isnan(numbers[1]).all()


def test_ids_that_often_stand_first_are_named_commonest_first_and_no_filler_is_one() -> None:
    lists = listed_ids(pa.array([["b", "a"]] * 3 + [["a"]] * 6 + [["[UNK]", "a"]] * 4 + [[]] + [["rare"]] * 0))
    found = often_first([lists, listed_ids(pa.array([["b"]] * 9))])
    assert [name for _, name in found] == ["b", "a"]
    assert found[0][0] == ranked_answers(pa.array([["b"]]), None, Ranking(places=1))[0, 0]
    many = often_first([listed_ids(pa.array([[str(place % 12)] for place in range(120)]))])
    assert len(many) == MAX_FIRST
    assert often_first([]) == ()


def test_labels_have_an_answered_id_and_not_too_many() -> None:
    task, answered = Ranking(places=2), ranked_answers(pa.array([["a", "b"]]), None, Ranking(places=2)).astype(np.int64)
    for labels in ({"a"}, {"z", "b|z"}, {"[]", "-1"}, set[str]()):
        check_relevant(labels, answered, task, fix="")
    with pytest.raises(BadInput, match="No label is ever among") as refused:
        check_relevant({"x", "y"}, answered, task, fix="Name it.")
    assert (refused.value.got, refused.value.fix) == ("'x', 'y'", "Name it.")
    with pytest.raises(BadInput, match="too many ids"):
        check_relevant({"a", "|".join(f"i{place}" for place in range(33))}, answered, task, fix="")
