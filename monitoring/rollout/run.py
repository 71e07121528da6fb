"""Runs a rollout to its end, pass by pass: works, acts on what was decided, tells people, waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from monitoring.config import MonitorConfig
from monitoring.errors import PitfallsError
from monitoring.records import RolloutEvent, RolloutRecord
from monitoring.rollout.actions import Author, promote, take_back
from monitoring.rollout.life import ITSELF, Pass
from monitoring.rollout.notifying import Send, send_events
from monitoring.rollout.shadow.worker import MakeScorer, ShadowWorker
from monitoring.rollout.split.worker import SplitWorker
from monitoring.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a running rollout needs of the world."""

    make_scorer: MakeScorer
    author: Author
    send: Send
    wait: Callable[[], bool]
    say: Callable[[str], None]


def run_rollout(config: MonitorConfig, store: Store, record: RolloutRecord, around: Surroundings) -> RolloutRecord:
    """Work on a rollout until it ends, or `wait` says to stop; and on the one that watches its promotion after it."""
    worker = _worker(config, store, record, around)
    try:
        while True:
            record = _act(config, store, worker.work(), around)
            send_events(config, store, record, around.send, around.author.clock)
            following = _watching(store, record)
            if following is not None:
                worker.close()
                record = following
                worker = _worker(config, store, record, around)
            elif not record.goes_on:
                return record
            if not around.wait():
                return record
            current = store.rollouts.read(record.number)  # somebody may have acted on it meanwhile
            if current.state != record.state:
                worker.record = record = current
                following = _watching(store, record)
                if following is not None:
                    worker.close()
                    worker, record = _worker(config, store, following, around), following
                elif not record.goes_on:
                    send_events(config, store, record, around.send, around.author.clock)
                    return record
    finally:
        worker.close()


def _worker(
    config: MonitorConfig, store: Store, record: RolloutRecord, around: Surroundings
) -> ShadowWorker | SplitWorker:
    if record.mode == "split":
        return SplitWorker(config=config, store=store, record=record, clock=around.author.clock)
    return ShadowWorker(
        config=config, store=store, record=record, make_scorer=around.make_scorer, clock=around.author.clock
    )


def _act(config: MonitorConfig, store: Store, done: Pass, around: Surroundings) -> RolloutRecord:
    """Do what a pass leads to. What cannot be done is told, and tried again after the next pass."""
    for event in done.events:
        around.say(event.text)
    if not done.do:
        return done.record
    author = replace(around.author, by=ITSELF)
    try:
        if done.do == "promote":
            promote(config, store, done.record, author)
        else:
            take_back(config, store, done.record, author)
    except PitfallsError as error:
        event = RolloutEvent(at=author.clock(), kind="failed", by=ITSELF, text=f"Could not {done.do}. {error}")
        around.say(event.text)
        last = store.rollouts.events(done.record.number)[-1:]
        store.rollouts.save(done.record, [] if last and last[0].text == event.text else [event])
        return done.record
    record = store.rollouts.read(done.record.number)
    around.say(store.rollouts.events(record.number)[-1].text)
    return record


def _watching(store: Store, record: RolloutRecord) -> RolloutRecord | None:
    """The rollout that watches the promotion of another one, while it goes on."""
    if record.state != "promoted":
        return None
    successors = (
        rollout
        for rollout in store.rollouts.latest(record.name)
        if rollout.follows == record.number and rollout.goes_on
    )
    return next(successors, None)
