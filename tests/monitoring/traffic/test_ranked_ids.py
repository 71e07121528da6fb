"""Lists of ids and of scores as answers, in whatever form a table has them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monitoring.tasks.ranking import Ranking
from monitoring.traffic.ranked_ids import listed_ids, ranked_answers

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
