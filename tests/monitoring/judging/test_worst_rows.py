from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.baseline.batch import Batch, in_batches
from monitoring.baseline.predictions import Predictions
from monitoring.judging.worst_rows import MAX_ROWS, worst_rows
from monitoring.records import CauseRow, WatchKey
from monitoring.tasks.task import NO_LABEL
from monitoring.timestamps import as_microseconds
from monitoring.watches.classes import ClassSlices
from tests.monitoring.judging.small_judge import BASELINE_DAYS, rows_of_days, small_judge, with_feature

ROWS = rows_of_days(BASELINE_DAYS, 3, seed=1, wrong_from=BASELINE_DAYS)


def never() -> Iterator[Batch]:
    pytest.fail("these rows are not for this watch")


def worst(watch: str, part: str = "", *, rows: Predictions = ROWS) -> tuple[CauseRow, ...]:
    """Of labelled rows for losses, of answered ones for integrity: the others must not be read."""
    catalogue = small_judge().catalogue
    losses = catalogue.watches[watch].family in ("performance", "surprise")
    read = lambda: in_batches(rows)  # noqa: E731 - both readers are the same function
    return worst_rows(
        WatchKey(watch=watch, slice=part),
        catalogue,
        labelled=read if losses else never,
        answered=never if losses else read,
    )


def test_the_rows_with_the_largest_loss_are_named_with_it() -> None:
    found = worst("brier")
    known = ROWS.take(ROWS.labels != NO_LABEL)
    losses = small_judge().catalogue.task.losses(known.probabilities, known.labels)["brier"]
    assert [row.score for row in found] == sorted(losses.tolist(), reverse=True)[:MAX_ROWS]
    ids = known.ids.to_pylist()
    assert all(losses[ids.index(row.prediction_id)] == row.score for row in found)
    times = dict(zip(ids, known.event_times.tolist(), strict=True))
    assert all(as_microseconds(row.event_time) == times[row.prediction_id] for row in found)


@pytest.mark.parametrize("watch", ["rank:late", "surprise_rank:late"])
def test_of_a_ranking_loss_the_worst_placed_rows_of_the_class_are_named(watch: str) -> None:
    found = worst(watch)
    late = ROWS.take(ROWS.labels == 1)
    lowest = set(np.array(late.ids.to_pylist())[np.argsort(late.probabilities[:, 1])[:5]])
    assert lowest <= {row.prediction_id for row in found}
    assert [row.score for row in found] == sorted((row.score for row in found), reverse=True)


def test_of_equal_scores_the_earliest_rows_are_named() -> None:
    found = worst("error")
    known = ROWS.take(ROWS.labels != NO_LABEL)
    wrong = small_judge().catalogue.task.losses(known.probabilities, known.labels)["error"] == 1.0
    ids = np.array(known.ids.to_pylist())[wrong]
    order = np.lexsort((ids, known.event_times[wrong]))
    assert [row.prediction_id for row in found] == ids[order].tolist()[:MAX_ROWS]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 180))
def test_batches_and_their_order_do_not_change_which_rows_are_named(seed: int, size: int) -> None:
    rows = ROWS.take(np.random.default_rng(seed).permutation(len(ROWS)))
    parts = [rows.take(np.arange(first, min(first + size, len(rows)))) for first in range(0, len(rows), size)]
    for watch in ("error", "surprise_brier"):
        found = worst_rows(
            WatchKey(watch=watch),
            small_judge().catalogue,
            labelled=lambda: (Batch.of(part) for part in parts),
            answered=never,
        )
        assert found == worst(watch)


def test_surprises_are_in_their_own_unit() -> None:
    assert max(row.score for row in worst("surprise_brier")) <= 1.0
    assert min(row.score for row in worst("surprise_brier")) > 0.0


def test_rows_of_a_slice_alone_are_named() -> None:
    origins = dict(zip(ROWS.ids.to_pylist(), ROWS.features["origin"].to_pylist(), strict=True))
    assert {origins[row.prediction_id] for row in worst("brier", "origin=EWR")} == {"EWR"}


def test_rows_of_a_class_alone_are_named() -> None:
    classes = ClassSlices(columns=("label", "predicted"), classes=("on_time", "late"), indices=(0, 1))
    watched = small_judge().catalogue
    catalogue = replace(watched, families=(replace(watched.losses, class_slices=classes), *watched.families[1:]))
    labels = dict(zip(ROWS.ids.to_pylist(), ROWS.labels.tolist(), strict=True))
    found = worst_rows(
        WatchKey(watch="brier", slice="label=late"), catalogue, labelled=lambda: in_batches(ROWS), answered=never
    )
    assert {labels[row.prediction_id] for row in found} == {1}


def test_rows_without_a_finite_answer_have_no_loss_and_are_the_unusable_ones() -> None:
    broken = ROWS.probabilities.copy()
    broken[5:8] = np.nan
    rows = replace(ROWS, probabilities=broken)
    expected = sorted(ROWS.ids.to_pylist()[5:8])
    assert [row.prediction_id for row in worst("unusable_answers", rows=rows)] == expected
    assert {row.score for row in worst("unusable_answers", rows=rows)} == {1.0}
    assert not {row.prediction_id for row in worst("brier", rows=rows)} & set(expected)


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(("watch", "bad"), [("missing:origin", {3, 9}), ("unseen:origin", {4})])
def test_rows_with_missing_or_unseen_values_are_named(watch: str, bad: set[int], encoded: bool) -> None:
    words = ROWS.features["origin"].to_pylist()
    words[3] = words[9] = None
    words[4] = "XXX"
    column = pa.array(words, pa.string())
    rows = with_feature(ROWS, "origin", column.dictionary_encode() if encoded else column)
    assert {row.prediction_id for row in worst(watch, rows=rows)} == {ROWS.ids[place].as_py() for place in bad}


def test_missing_numbers_are_named() -> None:
    temp = ROWS.features["temp"].to_numpy().copy()
    temp[[0, 7]] = np.nan
    found = worst("missing:temp", rows=with_feature(ROWS, "temp", pa.array(temp)))
    assert {row.prediction_id for row in found} == {ROWS.ids[0].as_py(), ROWS.ids[7].as_py()}


@pytest.mark.parametrize("watch", ["output:late", "input:temp", "estimated_error", "joint"])
def test_watches_whose_scores_are_not_of_single_rows_name_none(watch: str) -> None:
    catalogue = small_judge().catalogue
    name = next(one for one in catalogue.watches if one == watch or one.startswith(f"{watch}:"))
    assert worst_rows(WatchKey(watch=name), catalogue, labelled=never, answered=never) == ()
