"""Rollouts in the store: records, evidence by window, and what happened in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, func, insert, select, update

from monitoring.errors import BadInput
from monitoring.records import ROLLOUT_GOES_ON, LabelSample, RolloutEvent, RolloutPlan, RolloutRecord, RolloutResult
from monitoring.store.tables import rollout, rollout_event, rollout_sample, rollout_window
from monitoring.store.transactions import Transactions

#: What is stored as it is.
_PLAIN = (
    "name",
    "model",
    "champion",
    "candidate",
    "mode",
    "share",
    "salt",
    "settings",
    "state",
    "started_at",
    "by",
    "release",
    "scale",
    "ended_at",
    "follows",
)


class RolloutTable:
    """The rollouts of an opened store."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def begin(self, record: RolloutRecord) -> int:
        """Add a rollout, unless another one of its model goes on."""
        with self._transactions.writing() as connection:
            if record.goes_on:
                _check_alone(connection, record)
            return _insert(connection, record)

    def begin_after(self, former: RolloutRecord, events: Sequence[RolloutEvent], record: RolloutRecord) -> int:
        """Replace a rollout by its end, and add the one that follows it, in one transaction."""
        with self._transactions.writing() as connection:
            connection.execute(update(rollout).where(rollout.c.id == former.number).values(**_values(former)))
            _add_events(connection, former.number, events)
            _check_alone(connection, record)
            return _insert(connection, record)

    def save(self, record: RolloutRecord, events: Sequence[RolloutEvent] = ()) -> bool:
        """Replace a rollout that goes on, by its number, and add what happened, in one transaction."""
        return self.save_windows(record, (), events)

    def save_windows(
        self, record: RolloutRecord, windows: Sequence[tuple[datetime, datetime, str]], events: Sequence[RolloutEvent]
    ) -> bool:
        """Add windows of evidence, and replace the rollout that they lead to, in one transaction.

        A window that is there already stays as it is: it has been counted.

        Returns:
            Whether that was done: not if somebody else has ended the rollout meanwhile.
        """
        with self._transactions.writing() as connection:
            if not _goes_on(connection, record.number):
                return False
            starts = set(
                connection.execute(
                    select(rollout_window.c.start).where(rollout_window.c.rollout == record.number)
                ).scalars()
            )
            rows = [
                {"rollout": record.number, "start": start, "end": end, "document": document}
                for start, end, document in windows
                if start not in starts
            ]
            if rows:
                connection.execute(insert(rollout_window), rows)
            connection.execute(update(rollout).where(rollout.c.id == record.number).values(**_values(record)))
            _add_events(connection, record.number, events)
            return True

    def add_replay(
        self, record: RolloutRecord, windows: Sequence[tuple[datetime, datetime, str]], event: RolloutEvent
    ) -> int:
        """Add a replay, which has ended, with its windows of evidence, in one transaction."""
        with self._transactions.writing() as connection:
            number = _insert(connection, record)
            rows = [{"rollout": number, "start": a, "end": b, "document": document} for a, b, document in windows]
            if rows:
                connection.execute(insert(rollout_window), rows)
            _add_events(connection, number, [event])
            return number

    def add_sample(self, number: int, sample: LabelSample, event: RolloutEvent) -> None:
        """Add rows whose labels were asked for."""
        fields = {name: getattr(sample, name) for name in ("start", "end", "salt", "due")}
        values = {"rollout": number, "probability": sample.probability, **fields}
        with self._transactions.writing() as connection:
            connection.execute(insert(rollout_sample).values(**values))
            _add_events(connection, number, [event])

    def samples(self, number: int) -> tuple[LabelSample, ...]:
        """The samples of rows whose labels were asked for in a rollout, in order of time."""
        query = select(rollout_sample).where(rollout_sample.c.rollout == number).order_by(rollout_sample.c.start)
        with self._transactions.reading() as connection:
            return tuple(
                LabelSample(start=row.start, end=row.end, salt=row.salt, probability=row.probability, due=row.due)
                for row in connection.execute(query)
            )

    def read(self, number: int) -> RolloutRecord:
        """A rollout by its number. Raises BadInput if there is none."""
        with self._transactions.reading() as connection:
            row = connection.execute(select(rollout).where(rollout.c.id == number)).one_or_none()
        if row is None:
            raise BadInput(
                "There is no such rollout.",
                got=str(number),
                expected="the number of a rollout in this store",
                fix="`pitfalls rollout list` lists them.",
            )
        return _record(row)

    def latest(self, name: str | None = None, *, most: int = 1000) -> tuple[RolloutRecord, ...]:
        """The last rollouts of a deployment's name, or of all, the newest first."""
        query = select(rollout).order_by(rollout.c.id.desc()).limit(most)
        if name is not None:
            query = query.where(rollout.c.name == name)
        with self._transactions.reading() as connection:
            return tuple(map(_record, connection.execute(query).all()))

    def current(self) -> tuple[RolloutRecord, ...]:
        """The rollouts that go on, of all deployments, in order of their numbers."""
        query = select(rollout).where(rollout.c.state.in_(ROLLOUT_GOES_ON)).order_by(rollout.c.id)
        with self._transactions.reading() as connection:
            return tuple(map(_record, connection.execute(query).all()))

    def windows(self, number: int) -> tuple[tuple[datetime, datetime, Mapping[str, Any]], ...]:
        """The windows of evidence of a rollout, in order of time: start, end and document."""
        table = rollout_window.c
        query = select(table.start, table.end, table.document).where(table.rollout == number).order_by(table.start)
        with self._transactions.reading() as connection:
            return tuple((row.start, row.end, json.loads(row.document)) for row in connection.execute(query))

    def events(self, number: int) -> tuple[RolloutEvent, ...]:
        """What happened in a rollout, in order."""
        query = select(rollout_event).where(rollout_event.c.rollout == number).order_by(rollout_event.c.position)
        with self._transactions.reading() as connection:
            return tuple(map(_event, connection.execute(query)))

    def unsent_events(self, number: int) -> tuple[tuple[RolloutEvent, frozenset[str], int], ...]:
        """Events that some receiver was not notified of: with those that were, and the attempts so far."""
        table = rollout_event.c
        pending = (table.rollout == number) & table.completed_at.is_(None)
        with self._transactions.reading() as connection:
            rows = connection.execute(select(rollout_event).where(pending).order_by(table.position)).all()
        return tuple((_event(row), frozenset(json.loads(row.reached)), row.attempts) for row in rows)

    def save_attempt(self, number: int, position: int, reached: frozenset[str], completed_at: datetime | None) -> None:
        """Record one more attempt to notify the receivers of an event."""
        table = rollout_event.c
        statement = (
            update(rollout_event)
            .where((table.rollout == number) & (table.position == position))
            .values(reached=json.dumps(sorted(reached)), attempts=table.attempts + 1, completed_at=completed_at)
        )
        with self._transactions.writing() as connection:
            connection.execute(statement)


@cache
def _adapters() -> tuple[TypeAdapter[RolloutResult], TypeAdapter[RolloutPlan]]:
    return TypeAdapter(RolloutResult), TypeAdapter(RolloutPlan)


def _goes_on(connection: Connection, number: int) -> bool:
    state = connection.execute(select(rollout.c.state).where(rollout.c.id == number)).scalar_one()
    return state in ROLLOUT_GOES_ON


def _check_alone(connection: Connection, record: RolloutRecord) -> None:
    table = rollout.c
    others = (table.model == record.model) & (table.name == record.name) & table.state.in_(ROLLOUT_GOES_ON)
    other = connection.execute(select(table.id, table.champion, table.candidate).where(others)).first()
    if other is not None:
        raise BadInput(
            "Another rollout of this model goes on.",
            got=f"rollout {other.id}, of the versions {other.champion} and {other.candidate}",
            expected="one rollout of a model at a time",
            fix="Wait for its end, or end it: `pitfalls rollout stop`.",
        )


def _insert(connection: Connection, record: RolloutRecord) -> int:
    number: int = connection.execute(insert(rollout).values(**_values(record)).returning(rollout.c.id)).scalar_one()
    return number


def _values(record: RolloutRecord) -> dict[str, Any]:
    results, plans = _adapters()
    return {
        **{name: getattr(record, name) for name in _PLAIN},
        "result": None if record.result is None else results.dump_json(record.result).decode(),
        "plan": None if record.plan is None else plans.dump_json(record.plan).decode(),
    }


def _record(row: Row[Any]) -> RolloutRecord:
    results, plans = _adapters()
    return RolloutRecord(
        **{name: getattr(row, name) for name in _PLAIN},
        result=None if row.result is None else results.validate_json(row.result),
        plan=None if row.plan is None else plans.validate_json(row.plan),
        number=row.id,
    )


def _event(row: Row[Any]) -> RolloutEvent:
    return RolloutEvent(at=row.at, kind=row.kind, by=row.by, text=row.text, position=row.position)


def _add_events(connection: Connection, number: int, events: Sequence[RolloutEvent]) -> None:
    if not events:
        return
    count = select(func.count()).where(rollout_event.c.rollout == number)
    first = int(connection.execute(count).scalar_one())
    rows = [
        {
            "rollout": number,
            "position": first + place,
            "at": event.at,
            "kind": event.kind,
            "by": event.by,
            "text": event.text,
        }
        for place, event in enumerate(events)
    ]
    connection.execute(insert(rollout_event), rows)
