"""Labels on demand: a sample of disagreements is asked for, weighs what it stands for, and counts when it is due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.records import LabelSample, RolloutRecord
from monitoring.rollout.ask_labels import ask_labels
from monitoring.rollout.evidence.assignment import assigned
from monitoring.rollout.evidence.confidence_sequence import interval
from monitoring.rollout.log.label_samples import Asking
from monitoring.rollout.pairs import LOSS, Measures
from monitoring.store.store import Store
from monitoring.tasks.label_codes import has_label
from tests.monitoring.rollout.shadow.worlds import BEGIN, SECTION, World, world_of
from tests.monitoring.rollout.test_pairs import DAY as WINDOW
from tests.monitoring.rollout.test_pairs import TASK, some
from tests.monitoring.rollout.two_bundles import logged, truth, two_bundles

DAY = timedelta(days=1)
ASKED = SECTION + 'labels = "asked"\n'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/rollouts.db") as opened:
        yield opened


@pytest.fixture
def world(tmp_path: Path, store: Store) -> World:
    """A world in which labels count only where they were asked for."""
    config = two_bundles(tmp_path / "labels", "")
    return world_of(tmp_path / "world", store, {1: logged, 2: truth(config)}, ASKED)


def asked(world: World, record: RolloutRecord, rows: int = 60, salt: str = "s") -> pa.Table:
    asking = Asking(rows=rows, salt=salt, due=world.now + 7 * DAY)
    return ask_labels(world.config, world.store, record, world.author, asking, lambda _: None)[1]


def test_a_sample_of_disagreements_counts_when_it_is_due(world: World) -> None:
    record = world.begun()
    worker = world.worker(record)
    world.now = BEGIN + 10 * DAY
    assert worker.work().counted == 0  # nobody was asked for a label
    table = asked(world, record)
    assert table.column_names[:4] == ["prediction_id", "event_time", "label", "label_time"]
    assert not any(name.startswith(("input:", "output:")) for name in table.column_names)
    (sample,) = world.store.rollouts.samples(record.number)
    ids = table["prediction_id"].to_pylist()
    assert 30 < len(ids) < 90
    assert assigned(sample.salt, ids, sample.probability).all()
    assert table["label"].null_count == len(ids)
    assert worker.work().counted == 0  # it is not due
    world.now += 7 * DAY
    done = worker.work()
    assert done.counted == 9  # the last one may still get rows
    result = done.record.result
    assert result is not None
    assert (result.labelled, result.rows) == (len(ids), 360)
    assert result.at_random.mean < 0.0
    assert result.champion is None  # disagreements say nothing of a version's own loss
    assert world.store.rollouts.events(record.number)[-1].kind in {"labels", "decided"}


def test_a_second_sample_is_of_later_windows(world: World) -> None:
    record = world.begun()
    worker = world.worker(record)
    world.now = BEGIN + 4 * DAY
    worker.work()
    asked(world, record)
    with pytest.raises(BadInput, match="There is no row to be labelled"):
        asked(world, record)
    world.now += 3 * DAY
    worker.work()
    asked(world, record)
    first, second = world.store.rollouts.samples(record.number)
    assert (first.end, second.end) == (BEGIN + 3 * DAY, BEGIN + 6 * DAY)
    assert second.start == first.end


def test_a_rollout_that_has_ended_asks_for_nothing(world: World) -> None:
    record = replace(world.begun(), state="stopped", ended_at=BEGIN)
    with pytest.raises(BadInput, match="The rollout has ended"):
        asked(world, record)


def test_a_sampled_window_is_right_on_average_and_other_labels_do_not_count(rng: np.random.Generator) -> None:
    measures, rows = Measures(task=TASK, loss="error"), some(rng, 400)
    rows = rows.take(has_label(rows.labels))
    whole = measures.window(WINDOW, rows).measures[LOSS]
    means, outside = [], 0
    for place in range(300):
        sample = LabelSample(start=WINDOW.start, end=WINDOW.end, salt=f"{place}", probability=0.25, due=WINDOW.end)
        evidence = measures.window(WINDOW, rows, sample)
        sums = evidence.measures[LOSS]
        assert (sums.rows, sums.disagreements) == (whole.rows, whole.disagreements)
        assert sums.sampled < whole.sampled
        means.append(sums.mean)
        found = interval(sums, alpha=0.05)
        outside += not found.low <= whole.mean <= found.high
    assert np.mean(means) == pytest.approx(whole.mean, abs=4 * np.std(means) / np.sqrt(300))
    assert np.std(means) > 0.0
    assert outside <= 30  # either bound may be wrong in one of 20
