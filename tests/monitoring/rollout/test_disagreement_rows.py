"""Rows on which two versions disagree, as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from monitoring.errors import BadInput
from monitoring.rollout.disagreement_rows import MOST_ROWS, read_disagreements
from monitoring.store.store import Store
from tests.monitoring.rollout.shadow.worlds import END, world_of
from tests.monitoring.rollout.two_bundles import logged, truth, two_bundles


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/rollouts.db") as opened:
        yield opened


def test_rows_of_each_kind_have_both_answers_and_their_inputs(store: Store, tmp_path: Path) -> None:
    right = truth(two_bundles(tmp_path / "labels"))
    world = world_of(tmp_path / "world", store, {1: logged, 2: right})
    record = world.begun()
    world.now = END
    with_worker = world.worker(record)
    with_worker.work()
    with_worker.close()
    found = read_disagreements(world.config, store, store.rollouts.read(record.number), lambda: END)
    assert len(found.better.rows) == MOST_ROWS
    assert not len(found.worse.rows)  # the candidate is always right
    assert found.worse.note == "There is no such row."
    assert found.better.others is not None
    assert found.better.rows.features.num_columns
    choices = found.better.others.argmax(axis=1)
    np.testing.assert_array_equal(choices, found.better.rows.labels)
    assert (choices != found.better.rows.probabilities.argmax(axis=1)).all()
    assert all(score == -1.0 for score in found.better.scores)


def test_before_the_first_answer_it_says_so(store: Store, tmp_path: Path) -> None:
    world = world_of(tmp_path / "world", store, {1: logged, 2: logged})
    with pytest.raises(BadInput, match=r"answered nothing yet.*pitfalls rollout start"):
        read_disagreements(world.config, store, world.begun(), lambda: END)
