"""A split on a traffic log that both versions have answered, by units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from monitoring.errors import BadInput
from monitoring.records import RolloutRecord
from monitoring.rollout.actions import promote, stop, take_back
from monitoring.rollout.log.versions import find_versions
from monitoring.rollout.split.split_file import NO_KEY, UNIT_COLUMN, Split, read_split, write_split
from monitoring.rollout.split.worker import SplitWorker, check_split, split_of
from monitoring.store.store import Store
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.writer import TrafficWriter
from tests.monitoring.rollout.shadow.worlds import BEGIN, World, world_of

DAY = timedelta(days=1)
DAYS, USERS = 10, 300
SECTION = """
[rollout]
mode = "split"
answers_change_labels = true
key = "user_id"
sticky = "day"
share = 0.5
split_file = "split.json"
[rollout.decide]
guards = ["errors <= 0.1"]
min_effect = 0.02
horizon = "2d"
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/rollouts.db") as opened:
        yield opened


@pytest.fixture
def world(tmp_path: Path, store: Store) -> World:
    return world_of(tmp_path / "world", store, {}, SECTION)


def file(world: World) -> Path:
    found = world.config.rollout.split_file
    assert found is not None
    return found


def answer(
    world: World, split: Split, errors: tuple[float, float], *, unfair: float = 0.0, labelled: tuple[int, ...] = (1, 2)
) -> None:
    """Log the requests of each user on each day, answered as the split says, with labels; and some without a key.

    Args:
        world: The world.
        split: The split.
        errors: How often the champion and the candidate are wrong.
        unfair: The share of the candidate's users whose requests get lost.
        labelled: The versions whose rows get labels.
    """
    rng = np.random.default_rng(5)
    writer = TrafficWriter(world.log, clock=lambda: world.now)
    ids, labels, known = [], [], []
    for day in range(DAYS):
        at = BEGIN + day * DAY + timedelta(hours=12)
        batches: dict[tuple[int, bool], list[tuple[str, bytes]]] = {}
        for user in range(USERS):
            key = None if user % 50 == 0 else f"user {user}"
            version, unit = split.assign(key, "", as_microseconds(at))
            if version == 2 and rng.random() < unfair:
                continue
            for number in range(rng.integers(1, 4)):
                right = rng.random() >= errors[version - 1]
                name = f"d{day}-u{user}-{number}"
                batches.setdefault((version, bool(right)), []).append((name, unit.encode()))
                if version not in labelled:
                    continue
                ids.append(f"{name}:0")
                labels.append("on_time")
                known.append(at + timedelta(hours=1))
        for (version, right), rows in batches.items():
            late = 0.1 if right else 0.9
            count = len(rows)
            writer.append(
                AnsweredRows(
                    model="flights",
                    version=version,
                    signature="serving_default",
                    request_ids=[name for name, _ in rows],
                    rows=np.zeros(count, np.int64),
                    event_times_us=np.full(count, as_microseconds(at)),
                    answered_at_us=as_microseconds(at),
                    latencies_us=np.ones(count, np.int64),
                    inputs={UNIT_COLUMN: np.array([unit for _, unit in rows], object)},
                    outputs={"probabilities": np.tile(np.array([1.0 - late, late], np.float32), (count, 1))},
                )
            )
    writer.close()
    LabelWriter(world.log, clock=lambda: world.now).append(ids, labels, [as_microseconds(at) for at in known])


def worker(world: World, record: RolloutRecord) -> SplitWorker:
    return SplitWorker(config=world.config, store=world.store, record=record, clock=lambda: world.now)


def begun(world: World) -> tuple[RolloutRecord, Split]:
    record = world.begun()
    return record, split_of(record, "UTC")


def test_servers_are_told_and_each_version_is_measured_by_units(world: World) -> None:
    record, split = begun(world)
    assert worker(world, record).work().counted == 0
    assert read_split(file(world)) == split
    answer(world, split, (0.4, 0.1))
    world.now = BEGIN + (DAYS + 4) * DAY
    done = worker(world, world.store.rollouts.read(record.number)).work()
    result = done.record.result
    assert result is not None
    assert (result.verdict, result.promotable, done.record.state) == ("better", True, "decided")
    assert result.champion is not None
    assert abs(result.champion - 0.4) < 0.05
    assert result.rows == DAYS * (USERS - USERS // 50)  # a unit a day for each user with a key
    windows = [document for *_, document in world.documents(record)]
    assert sum(document["unkeyed"] for document in windows) > DAYS
    assert sum(document["crossed"] for document in windows) == 0
    again = worker(world, world.store.rollouts.read(record.number)).work()
    assert again.counted == 0
    assert again.record.result == result


def test_a_worse_candidate_ends_the_split(world: World) -> None:
    record, split = begun(world)
    answer(world, split, (0.1, 0.4))
    world.now = BEGIN + (DAYS + 4) * DAY
    done = worker(world, record).work()
    assert done.record.state == "stopped"
    assert read_split(file(world)) == replace(split, share=0.0)  # and not the newest version, which is the worse one


def test_a_bad_sample_ratio_ends_the_split_before_any_label_is_due(world: World) -> None:
    record, split = begun(world)
    answer(world, split, (0.1, 0.1), unfair=0.3)
    world.now = BEGIN + DAYS * DAY
    done = worker(world, record).work()
    assert done.record.state == "stopped"
    assert "was to get 50.0%" in done.events[-1].text
    assert read_split(file(world)) == replace(split, share=0.0)


def test_labels_of_one_version_alone_tell_nothing(world: World) -> None:
    record, split = begun(world)
    answer(world, split, (0.1, 0.4), labelled=(1,))
    world.now = BEGIN + (DAYS + 4) * DAY
    result = worker(world, record).work().record.result
    assert result is not None
    assert (result.verdict, result.promotable, result.harmful) == ("can't tell yet", False, False)
    assert result.missing > 0
    assert result.candidate is None


def test_a_key_that_stays_counts_in_its_first_window_alone(world: World) -> None:
    record = world.begun(sticky="forever")
    split = split_of(record, "UTC")
    answer(world, split, (0.2, 0.2))
    world.now = BEGIN + (DAYS + 4) * DAY
    result = worker(world, record).work().record.result
    assert result is not None
    assert result.rows == USERS - USERS // 50


def test_a_person_may_stop_it(world: World) -> None:
    record, split = begun(world)
    worker(world, record).work()
    stop(world.config, world.store, world.store.rollouts.read(record.number), world.author)
    assert read_split(file(world)) == replace(split, share=0.0)


def test_a_promotion_has_all_requests_answered_by_the_candidate_and_a_rollback_by_the_champion(world: World) -> None:
    record, split = begun(world)
    answer(world, split, (0.4, 0.1))
    world.now = BEGIN + (DAYS + 4) * DAY
    done = worker(world, world.store.rollouts.read(record.number))
    watch = promote(world.config, world.store, done.work().record, world.author)
    assert read_split(file(world)) == replace(split, champion=2, share=0.0)
    assert "errors and its latency alone" in world.store.rollouts.events(watch.number)[0].text
    done.record = world.store.rollouts.read(record.number)
    done.close()  # as another process does that has heard of it
    take_back(world.config, world.store, watch, world.author)
    done.close()
    assert read_split(file(world)) == replace(split, share=0.0)


def test_after_a_split_the_former_champion_is_not_held_to_labels_of_the_others_answers(world: World) -> None:
    record, split = begun(world)
    answer(world, split, (0.4, 0.1))
    write_split(file(world), split)
    watch = promote(world.config, world.store, record, world.author, force=True)
    world.formulas = {1: lambda rows: np.zeros(rows.num_rows)}  # right by every label of the candidate's rows
    world.now = BEGIN + (DAYS + 4) * DAY
    done = world.worker(watch)
    result = done.work().record.result
    done.close()
    assert result is not None
    assert (result.rows > 0, result.labelled, result.harmful) == (True, 0, False)
    assert result.verdict == "can't tell yet"


@pytest.mark.parametrize(
    ("changes", "message"), [({"share": 1.0}, "needs rows of both"), ({"split_file": None}, "where servers hear")]
)
def test_a_split_that_cannot_be_is_refused(world: World, changes: dict[str, object], message: str) -> None:
    section = world.config.rollout.model_copy(update=changes)
    config = world.config.model_copy(update={"rollout": section})
    with pytest.raises(BadInput, match=message):
        check_split(config, find_versions(config))


def test_rows_without_a_key_are_no_unit(world: World) -> None:
    _, split = begun(world)
    assert split.version_of(NO_KEY) == 1
