"""Rankings: losses as the literature has them, and what is watched of the ids."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.metrics import find_metric
from monitoring.tasks.ranking import MAX_PLACES, MAX_RELEVANT, AnsweredIds, Ranking
from monitoring.tasks.task import NO_LABEL

RNG = np.random.default_rng(0)
PLACES, CATALOGUE = 5, 30
ANSWERS = np.stack([RNG.permutation(CATALOGUE)[:PLACES] + 1 for _ in range(500)]).astype(np.float64)
RELEVANT = [RNG.permutation(CATALOGUE)[: RNG.integers(1, 9)] + 1 for _ in range(500)]
LABELS = np.array([[*sorted(one, reverse=True), *[NO_LABEL] * (MAX_RELEVANT - len(one))] for one in RELEVANT])
TASK = Ranking(places=PLACES, first=((3, "three"),)).fitted(ANSWERS)


def test_ndcg_is_the_discounted_gain_over_that_of_the_best_order() -> None:
    losses, discounts = TASK.losses(ANSWERS, LABELS), 1.0 / np.log2(np.arange(2, PLACES + 2))
    for row, (answer, relevant) in enumerate(zip(ANSWERS.astype(int), RELEVANT, strict=True)):
        gains = np.isin(np.arange(CATALOGUE + 1), relevant).astype(float)
        best = np.sort(gains)[::-1][:PLACES]
        assert losses["ndcg_loss"][row] == pytest.approx(1.0 - discounts @ gains[answer] / (discounts @ best))


def test_recall_and_reciprocal_rank_are_counted_row_by_row() -> None:
    losses = TASK.losses(ANSWERS, LABELS)
    for row, (answer, relevant) in enumerate(zip(ANSWERS.astype(int), RELEVANT, strict=True)):
        ranks = [rank for rank, one in enumerate(answer, 1) if one in relevant]
        assert losses["recall_loss"][row] == pytest.approx(1.0 - len(ranks) / len(relevant))
        assert losses["reciprocal_rank_loss"][row] == pytest.approx(1.0 - (1.0 / ranks[0] if ranks else 0.0))


def test_an_id_that_is_answered_twice_counts_once() -> None:
    task, label = Ranking(places=3), np.array([[9, 7, *[NO_LABEL] * 30]])
    twice = task.losses(np.array([[7.0, 7.0, 9.0]]), label)
    once = task.losses(np.array([[7.0, 0.0, 9.0]]), label)
    assert {name: loss[0] for name, loss in twice.items()} == {name: loss[0] for name, loss in once.items()}
    best = task.losses(np.array([[7.0, 9.0, 9.0]]), label)
    assert {name: float(loss[0]) for name, loss in best.items()} == dict.fromkeys(task.metrics, 0.0)


def test_every_watch_has_a_score_and_words() -> None:
    task = Ranking(places=PLACES, scored=True, first=((3, "three"),))
    answers = np.hstack([ANSWERS, np.sort(RNG.random(ANSWERS.shape))[:, ::-1]])
    task = task.fitted(answers)
    outputs = task.outputs(answers)
    assert [watch.name for watch in task.output_watches] == list(outputs)
    assert all(((scores >= 0.0) & (scores <= 1.0)).all() for scores in outputs.values())
    assert outputs["prediction:first:three"].mean() == pytest.approx((ANSWERS[:, 0] == 3).mean())
    assert 0.4 < task.score(answers).mean() < 0.6
    for watch in task.loss_watches:
        assert find_metric(watch.name.removeprefix("surprise_")) is not None
    assert task.expected_losses(answers, outputs) == {}


def test_the_wrong_way_round_is_out_of_order_and_no_harder() -> None:
    task = Ranking(places=3, scored=True)
    answers = np.array([[5.0, 6.0, 7.0, 0.9, 0.5, 0.1], [5.0, 6.0, 0.0, -0.5, -0.9, 0.0]])
    task = task.fitted(np.repeat(answers, 50, axis=0))
    turned = answers[:, [2, 1, 0, 5, 4, 3]]
    assert task.outputs(answers)["prediction:out_of_order"].tolist() == [0.0, 0.0]
    assert task.outputs(turned)["prediction:out_of_order"].tolist() == [1.0, 1.0]
    np.testing.assert_array_equal(task.score(answers), task.score(turned))


def test_one_place_has_one_loss() -> None:
    assert Ranking(places=1).metrics == ("recall_loss",)
    assert list(Ranking(places=1).losses(ANSWERS[:, :1], LABELS)) == ["recall_loss"]


def test_it_survives_json_and_reads_labels_as_text() -> None:
    assert Ranking.of(json.loads(json.dumps(TASK.document()))) == TASK
    codes = TASK.label_codes(pa.chunked_array([["a", "[1, 2]", "", None]], pa.string()))
    assert has_label(codes).tolist() == [True, True, False, False]
    assert not TASK.unknown(codes).any()
    assert not TASK.respelled(pa.chunked_array([["A"]])).any()
    assert TASK.read_answers(ANSWERS).dtype == np.int64
    assert TASK.read_labels(codes) is codes


@pytest.mark.parametrize("places", [0, MAX_PLACES + 1])
def test_no_ids_and_too_many_are_refused(places: int) -> None:
    with pytest.raises(BadInput, match="cannot be the answers of a ranking"):
        Ranking(places=places).check()


def zipf(rows: int, rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return rng.zipf(1.3, (rows, 5)) % (1 << 50) + 1


@pytest.mark.parametrize("rows", [400, 4_000])
def test_clean_traffic_has_as_many_new_and_common_ids_as_the_baseline(rows: int) -> None:
    rng = np.random.default_rng(0)
    reference, live = zipf(rows, rng), zipf(20_000, rng)
    known = AnsweredIds.fit(reference)
    for scores in (known.new, known.is_common):
        then, now = scores(reference).mean(axis=1), scores(live).mean(axis=1)
        assert now.mean() == pytest.approx(then.mean(), abs=4.0 * then.std() / np.sqrt(rows))
    assert known.new(live).mean() > 0.01  # there is a tail that a list of the baseline's own ids would hide


def test_half_of_the_answered_ids_are_common() -> None:
    reference = zipf(4_000, np.random.default_rng(1))
    assert AnsweredIds.fit(reference).is_common(reference).mean() == pytest.approx(0.5, abs=0.1)


def test_places_without_an_id_are_neither_and_json_keeps_it() -> None:
    known = AnsweredIds.fit(zipf(100, np.random.default_rng(2)))
    none = np.zeros((3, 5), dtype=np.int64)
    assert not known.new(none).any()
    assert not known.is_common(none).any()
    assert AnsweredIds.of(json.loads(json.dumps(known.document()))) == known
    with pytest.raises(ValueError, match="buckets"):
        AnsweredIds.of(dict.fromkeys(("present", "common"), "eJwDAAAAAAE="))
