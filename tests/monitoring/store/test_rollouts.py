"""Rollouts in the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.errors import BadInput
from monitoring.records import LabelSample, RolloutEvent, RolloutPlan, RolloutPromise, RolloutRecord
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.evaluation import evaluate
from monitoring.store.store import Store
from tests.monitoring.rollout.test_evaluation import MEASURES, windows

AT = datetime(2026, 3, 1, tzinfo=UTC)
RECORD = RolloutRecord(
    name="flights",
    model="flights",
    champion=42,
    candidate=43,
    mode="shadow",
    share=0.1,
    salt="a",
    settings="{}",
    state="running",
    started_at=AT,
    by="ada",
    release="1",
)
PLAN = RolloutPlan(
    at=AT,
    rows_per_day=1e3,
    disagreement=0.05,
    spread=1.0,
    coverage=0.9,
    label_delay_days=(0.5, 3.0),
    measured_on=500,
    promises=(
        RolloutPromise(
            effect=-0.01, verdict="better", shares=(0.5, 0.9), days=(3.0, None), rows=(5, None), labels=(1, None)
        ),
    ),
)
STARTED = RolloutEvent(at=AT, kind="started", by="ada", text="Begun.")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/store.db") as opened:
        yield opened


def test_a_rollout_comes_back_exactly(store: Store) -> None:
    result = evaluate(windows(0.05, days=12), MEASURES, DecisionRules())
    record = replace(RECORD, result=result, plan=PLAN, scale=0.1, follows=7)
    number = store.rollouts.begin(record)
    assert store.rollouts.read(number) == replace(record, number=number)
    assert store.rollouts.latest() == store.rollouts.latest("flights") == (replace(record, number=number),)
    assert store.rollouts.latest("others") == ()
    assert "43" in repr(store.rollouts.read(number))


def test_one_rollout_of_a_model_goes_on_at_a_time(store: Store) -> None:
    number = store.rollouts.begin(RECORD)
    with pytest.raises(BadInput, match=rf"Another rollout of this model goes on.*rollout {number}"):
        store.rollouts.begin(replace(RECORD, candidate=44))
    store.rollouts.begin(replace(RECORD, model="ships"))
    store.rollouts.begin(replace(RECORD, state="finished", ended_at=AT))
    store.rollouts.save(replace(store.rollouts.read(number), state="stopped", ended_at=AT))
    assert store.rollouts.read(number).ended_at == AT
    store.rollouts.begin(replace(RECORD, candidate=44))


def test_a_window_is_counted_once_and_what_happened_is_kept_in_order(store: Store) -> None:
    number = store.rollouts.begin(RECORD)
    record = store.rollouts.read(number)
    day = timedelta(days=1)
    store.rollouts.save_windows(record, [(AT, AT + day, '{"a": 1}')], [STARTED])
    later = [(AT, AT + day, '{"a": 2}'), (AT + day, AT + 2 * day, '{"a": 3}')]
    store.rollouts.save_windows(replace(record, scale=0.5), later, [replace(STARTED, kind="decided")])
    assert store.rollouts.windows(number) == ((AT, AT + day, {"a": 1}), (AT + day, AT + 2 * day, {"a": 3}))
    assert store.rollouts.read(number).scale == 0.5
    assert [(one.kind, one.position) for one in store.rollouts.events(number)] == [("started", 0), ("decided", 1)]


def test_events_wait_until_all_were_notified(store: Store) -> None:
    number = store.rollouts.begin(RECORD)
    store.rollouts.save(store.rollouts.read(number), [STARTED])
    ((event, reached, attempts),) = store.rollouts.unsent_events(number)
    assert (event.kind, reached, attempts) == ("started", frozenset(), 0)
    store.rollouts.save_attempt(number, 0, frozenset({"a"}), None)
    ((_, reached, attempts),) = store.rollouts.unsent_events(number)
    assert (reached, attempts) == (frozenset({"a"}), 1)
    store.rollouts.save_attempt(number, 0, frozenset({"a", "b"}), AT)
    assert not store.rollouts.unsent_events(number)


def test_a_number_that_is_none_is_told(store: Store) -> None:
    with pytest.raises(BadInput, match="no such rollout"):
        store.rollouts.read(5)


def test_what_somebody_has_ended_stays_ended(store: Store) -> None:
    number = store.rollouts.begin(RECORD)
    record = store.rollouts.read(number)
    assert store.rollouts.save(replace(record, state="stopped", ended_at=AT))
    assert not store.rollouts.save(replace(record, scale=0.5), [STARTED])
    assert not store.rollouts.save_windows(record, [(AT, AT + timedelta(days=1), "{}")], [STARTED])
    assert (store.rollouts.read(number).state, store.rollouts.windows(number), store.rollouts.events(number)) == (
        "stopped",
        (),
        (),
    )


def test_a_promotion_ends_one_rollout_and_begins_the_next_or_does_neither(store: Store) -> None:
    record = store.rollouts.read(store.rollouts.begin(RECORD))
    ended = replace(record, state="promoted", ended_at=AT)
    following = replace(record, mode="watch", follows=record.number, number=0)
    second = store.rollouts.begin_after(ended, [STARTED], following)
    assert store.rollouts.read(record.number).state == "promoted"
    assert store.rollouts.read(second).follows == record.number
    with pytest.raises(BadInput, match="Another rollout"):
        store.rollouts.begin_after(ended, [STARTED], following)
    assert len(store.rollouts.events(record.number)) == 1


def test_samples_come_back_exactly_in_order_of_time(store: Store) -> None:
    number = store.rollouts.begin(RECORD)
    day = timedelta(days=1)
    first = LabelSample(start=AT, end=AT + day, salt="a", probability=0.1, due=AT + 8 * day)
    second = replace(first, start=AT + day, end=AT + 2 * day, salt="b")
    for one in (second, first):
        store.rollouts.add_sample(number, one, STARTED)
    assert store.rollouts.samples(number) == (first, second)
    assert len(store.rollouts.events(number)) == 2
