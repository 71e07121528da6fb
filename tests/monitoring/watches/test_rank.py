from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from monitoring.records import WatchKey
from monitoring.watches.descriptions import is_rank
from monitoring.watches.rank import MAX_VALUES, ClassRanks, RankWatches
from tests.monitoring.watches.family_sums import label_sums, merged

LOSS, SURPRISE = WatchKey(watch="rank:yes"), WatchKey(watch="surprise_rank:yes")


def rows(count: int, *, shift: float = 0.0, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities of two classes, and labels drawn by them."""
    rng = np.random.default_rng(seed)
    yes = 1.0 / (1.0 + np.exp(-rng.normal(shift - 2.0, 1.0, count)))
    return np.stack([1.0 - yes, yes], axis=1), (rng.random(count) < yes).astype(np.int64)


def auc(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    mine, others = probabilities[labels == 1, 1, None], probabilities[labels == 0, 1]
    return float(np.mean((mine > others) + (mine == others) / 2))


@pytest.mark.parametrize("digits", [1, 2, 12])
def test_the_ranking_loss_of_the_reference_is_one_minus_its_auc(digits: int) -> None:
    probabilities, labels = rows(2000)
    probabilities = probabilities.round(digits)
    sums = label_sums(RankWatches.fit(("no", "yes"), probabilities, labels), probabilities, labels)
    assert sums[LOSS].rows == labels.sum()
    assert sums[LOSS].mean == pytest.approx(1.0 - auc(probabilities, labels), abs=1.0 / MAX_VALUES)


def test_a_score_that_is_always_the_same_ranks_as_chance_does() -> None:
    probabilities, labels = np.full((100, 2), 0.5), np.arange(100) % 2
    assert label_sums(RankWatches.fit(("no", "yes"), probabilities, labels), probabilities, labels)[LOSS].mean == 0.5


def test_rows_below_and_above_all_others_have_the_largest_and_the_smallest_loss() -> None:
    ranks = ClassRanks.fit("yes", 1, np.array([[0.7, 0.3], [0.6, 0.4], [0.5, 0.5]]), np.array([0, 0, 1]))
    assert ranks.losses(np.array([[0.8, 0.2], [0.65, 0.35], [0.6, 0.4], [0.5, 0.5]])).tolist() == [1.0, 0.5, 0.25, 0.0]


@pytest.mark.parametrize("shift", [-0.5, 0.0, 0.5])
def test_labels_drawn_by_the_answers_are_no_surprise_whatever_the_inputs(shift: float) -> None:
    ranks = RankWatches.fit(("no", "yes"), *rows(20_000))
    _, surprise = ranks.watches
    found = label_sums(ranks, *rows(50_000, shift=shift, seed=1))
    assert surprise.value(found[SURPRISE].mean) == pytest.approx(0.0, abs=0.01)


def test_a_ranking_that_got_worse_raises_loss_and_surprise_alike() -> None:
    ranks = RankWatches.fit(("no", "yes"), *rows(20_000))
    loss, surprise = ranks.watches
    probabilities, labels = rows(50_000, seed=1)
    lost = (labels == 1) & (np.arange(labels.size) % 2 == 0)
    worse = np.where(lost[:, None], probabilities[::-1], probabilities)
    before, after = label_sums(ranks, probabilities, labels), label_sums(ranks, worse, labels)
    rise = loss.value(after[LOSS].mean) - loss.value(before[LOSS].mean)
    assert rise > 0.05
    assert surprise.value(after[SURPRISE].mean) - surprise.value(before[SURPRISE].mean) == pytest.approx(rise, rel=0.2)


@pytest.mark.parametrize(("first", "watched"), [(10, ["rank:a"]), (90, ["rank:b"])])
def test_of_two_classes_the_rarer_is_watched(first: int, watched: list[str]) -> None:
    labels = (np.arange(100) >= first).astype(np.int64)
    ranks = RankWatches.fit(("a", "b"), np.full((100, 2), 0.5), labels)
    assert [watch.name for watch in ranks.watches if is_rank(watch.name)] == watched


def test_of_more_classes_each_that_has_rows_is_watched() -> None:
    ranks = RankWatches.fit(("a", "b", "c", "d"), np.full((9, 4), 0.25), np.arange(9) % 3)
    assert [one.name for one in ranks.classes] == ["a", "b", "c"]


@pytest.mark.parametrize("labels", [np.zeros(5, dtype=np.int64), np.zeros(0, dtype=np.int64)])
def test_without_rows_of_two_classes_there_is_no_ranking(labels: NDArray[np.int64]) -> None:
    assert RankWatches.fit(("no", "yes"), np.full((labels.size, 2), 0.5), labels).watches == ()


def test_tallies_of_batches_add_up_to_that_of_the_whole() -> None:
    probabilities, labels = rows(1000)
    ranks = RankWatches.fit(("no", "yes"), probabilities, labels)
    parts = [label_sums(ranks, probabilities[at::3], labels[at::3]) for at in range(3)]
    assert merged(parts) == label_sums(ranks, probabilities, labels)


def test_the_rows_behind_a_watch_are_those_of_its_class() -> None:
    probabilities, labels = rows(200)
    ranks = RankWatches.fit(("no", "yes"), probabilities, labels)
    for watch in ranks.watches:
        inside, losses = ranks.row_losses(watch.name, probabilities, labels)
        assert set(labels[inside]) == {1}
        assert losses.tolist() == ranks.classes[0].losses(probabilities[inside]).tolist()
