"""The worker of a shadow: the same evidence as a replay to the bit, counted once whatever kills it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import CannotRun
from monitoring.records import RolloutEvent
from monitoring.rollout.decision_rules import rules_of
from monitoring.rollout.log.evidence_job import CountedWindow
from monitoring.rollout.log.versions import find_versions
from monitoring.rollout.replay.log_replay import ReplayRequest, replay_log
from monitoring.rollout.shadow.worker import ShadowWorker
from monitoring.store.store import Store
from tests.monitoring.rollout.shadow.worlds import BEGIN, END, SECTION, World, add_rows, world_of
from tests.monitoring.rollout.two_bundles import FormulaScorer, logged, truth, two_bundles

DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/rollouts.db") as opened:
        yield opened


@pytest.fixture
def world(tmp_path: Path, store: Store) -> World:
    folder = tmp_path / "shadow"
    return world_of(folder, store, {1: logged, 2: truth(two_bundles(tmp_path / "labels", SECTION))})


def test_a_shadow_and_a_replay_of_the_same_answers_have_the_same_evidence_to_the_bit(
    world: World, tmp_path: Path
) -> None:
    record = world.begun(share=0.5)
    worker = world.worker(record)
    while world.now < END:
        world.now += timedelta(hours=17)
        worker.work()
    config = two_bundles(tmp_path / "replay", SECTION)
    request = ReplayRequest(rules=rules_of(config), since=BEGIN, share=0.5, salt=record.salt)
    versions = replace(find_versions(config), trained_until=BEGIN)
    found = replay_log(versions, request, FormulaScorer(truth(config)), clock=lambda: END)
    shadowed = [CountedWindow.of(*window) for window in world.documents(record)]
    assert [one.text() for one in shadowed] == [one.text() for one in found.windows]
    result = worker.record.result
    assert result == found.result.result
    assert result is not None
    assert result.interval.mean < -0.5
    assert result.rows == found.scored


def test_rows_before_its_beginning_do_not_count(world: World) -> None:
    world.now = BEGIN + timedelta(hours=12)
    worker = world.worker(world.begun())
    world.now = END
    done = worker.work()
    assert done.record.result is not None
    first = done.record.result.windows[0]
    assert first.start == BEGIN
    assert 0 < first.rows < 40
    assert done.answered == done.record.result.rows == 13 * 40 + first.rows


class Killed(Exception):
    """The process was killed."""


@pytest.mark.parametrize(
    "after", [0, 130, pytest.param(40, marks=pytest.mark.slow), pytest.param(500, marks=pytest.mark.slow)]
)
def test_a_worker_that_is_killed_at_any_row_counts_none_twice_and_ends_the_same(
    world: World, tmp_path: Path, store: Store, after: int
) -> None:
    whole = world.worker(world.begun())
    world.now = END
    result = whole.work().record.result
    whole.close()

    world.store.rollouts.save(replace(whole.record, state="stopped", ended_at=END))
    other = world_of(tmp_path / "killed", store, {1: logged, 2: logged})
    answer, rows = truth(other.config), 0

    def dies(table: pa.Table) -> np.ndarray:
        nonlocal rows
        rows += table.num_rows
        if rows > after:
            raise Killed
        return answer(table)

    other.formulas = {1: logged, 2: dies}
    record = other.begun()
    worker = other.worker(record)
    with pytest.raises(Killed):
        run_for_weeks(other, worker)
    other.formulas = {1: logged, 2: answer}
    while other.now < END:
        other.now += DAY
        other.worker(store.rollouts.read(record.number)).work()
    again = store.rollouts.read(record.number).result
    assert again == result


def test_one_that_is_killed_before_its_pass_is_kept_counts_its_windows_later(world: World) -> None:
    record = world.begun()
    world.now = END - 5 * DAY

    def killed(*_: object) -> bool:
        raise Killed

    table = type(world.store.rollouts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "save_windows", killed)
        with pytest.raises(Killed):
            world.worker(record).work()
    assert world.documents(record) == []
    worker = world.worker(record)
    done = worker.work()
    assert done.answered == 0  # the answers had been kept
    assert done.counted == len(world.documents(record)) == 10
    assert worker.work().counted == 0


def test_labels_enter_when_they_are_due_and_in_order(world: World) -> None:
    worker = world.worker(world.begun())
    counted = []
    for _ in range(12):
        world.now += DAY
        counted.append(worker.work().counted)
    assert counted == [0] * 7 + [1] * 5
    starts = [start for start, *_ in world.documents(worker.record)]
    assert starts == sorted(starts) == [BEGIN + place * DAY for place in range(5)]


def test_a_shadow_that_cannot_keep_up_lowers_its_share_and_says_so(world: World) -> None:
    worker = world.worker(world.begun())

    def slow(table: pa.Table) -> np.ndarray:
        world.seconds += 3_600.0 * table.num_rows
        return logged(table)

    world.formulas = {1: logged, 2: slow}
    events: list[RolloutEvent] = []
    while world.now < BEGIN + 2 * DAY:
        world.now += timedelta(hours=4)
        events += worker.work().events
    lowered = [event for event in events if event.kind == "share"]
    assert lowered
    assert "The shadow answers 50.0% of the rows from" in lowered[0].text
    world.formulas, world.now = {1: logged, 2: logged}, END
    done = world.worker(world.store.rollouts.read(worker.record.number)).work()
    assert done.record.result is not None
    assert done.record.result.windows[0].rows < 40  # as chosen then, and not afterwards
    assert not done.record.result.obstacles


def test_a_third_version_that_answers_meanwhile_is_an_obstacle(world: World) -> None:
    worker = world.worker(world.begun())
    world.now = END
    assert not told(worker)
    add_rows(world, version=3, at=datetime(2013, 4, 17, 12, tzinfo=UTC))
    assert told(worker) == "Version 3 answers now, and version 1 does not any more."


def test_rows_that_the_log_has_lost_are_counted_and_an_obstacle(world: World) -> None:
    record = world.begun()
    world.now = END - 12 * DAY
    world.worker(record).work()
    for date in (4, 6, 7):
        shutil.rmtree(world.log / f"model=flights/version=1/date=2013-04-0{date}")
    world.now = END
    worker = world.worker(record)
    assert "The traffic log has lost" in told(worker)
    assert worker.record.result is not None
    assert worker.record.result.verdict == "can't tell yet"


def run_for_weeks(world: World, worker: ShadowWorker) -> None:
    """A pass each day until long after every label is due."""
    while world.now < END:
        world.now += DAY
        worker.work()


def told(worker: ShadowWorker) -> str:
    """The first obstacle after a pass; empty without one."""
    result = worker.work().record.result
    assert result is not None
    return next(iter(result.obstacles), "")


def test_somebody_who_stops_it_meanwhile_has_the_last_word(world: World) -> None:
    record = world.begun()
    worker = world.worker(record)
    stopped = replace(record, state="stopped", ended_at=world.now)
    world.store.rollouts.save(stopped)
    world.now = END
    done = worker.work()
    assert (done.record.state, done.counted, world.documents(record)) == ("stopped", 0, [])


def test_two_workers_on_one_rollout_are_one_too_many(world: World) -> None:
    record = world.begun()
    world.now = END

    def meanwhile(table: pa.Table) -> np.ndarray:
        with pytest.raises(CannotRun, match="Another process works on this rollout"):
            world.worker(record).work()
        return logged(table)

    world.formulas = {1: logged, 2: meanwhile}
    assert world.worker(record).work().answered == 14 * 40


def test_a_clock_that_steps_back_counts_nothing_twice(world: World) -> None:
    record = world.begun()
    worker = world.worker(record)
    world.now = END - 3 * DAY
    first = worker.work()
    world.now = END - 9 * DAY
    assert worker.work().counted == 0
    world.now = END
    worker.work()
    assert first.record.result is not None
    assert worker.record.result is not None
    assert worker.record.result.rows == 14 * 40


def test_rows_that_come_after_a_clock_was_ahead_are_answered_and_count(world: World, tmp_path: Path) -> None:
    whole = world.worker(world.begun())
    world.now = END
    result = whole.work().record.result
    whole.close()
    world.store.rollouts.save(replace(whole.record, state="stopped", ended_at=END))

    other = world_of(tmp_path / "other", world.store, world.formulas)
    worker = other.worker(other.begun())
    dates = sorted((other.log / "model=flights/version=1").glob("date=*"))
    later = [(date, tmp_path / date.name) for date in dates[4:]]
    for date, away in later:
        date.rename(away)
    other.now = END
    assert 0 < worker.work().answered < 14 * 40
    for date, away in later:
        away.rename(date)
    other.now = BEGIN + 2 * DAY
    while other.now < END:
        worker.work()
        other.now += DAY
    found = worker.work().record.result
    assert found is not None
    assert result is not None
    assert (found.rows, found.verdict, found.interval) == (result.rows, result.verdict, result.interval)
