"""What the last complete run of a deployment left: when it was, and from when on a window may be due."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote

from monitoring.store.idle_sql import CHECKED, GOING_ON, READ_IDLE, SUCCEEDED

_SQLITE = "sqlite:///"

#: The entry of the label cursor for how many labels of the log, in order of arrival, the windows so far have seen.
LABELS_READ = "labels"
_TIME = "%Y-%m-%d %H:%M:%S.%f"

#: Seconds that a database may take to answer; past that, the long way says what is wrong.
_PATIENCE = 5

#: A statement with names such as `:now`, and their values.
Statement: TypeAlias = tuple[str, Mapping[str, object]]


class PlainDatabase(Protocol):
    """An open database that takes statements as text."""

    def rows(self, statement: str, values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        """The rows of a query; none where the database cannot answer it."""

    def execute(self, statements: Iterable[Statement]) -> bool:
        """Change something, in one transaction; whether it was done."""


@contextmanager
def plain_database(url: str) -> Iterator[PlainDatabase | None]:
    """The database of a store, by the drivers alone, for as long as the block runs.

    Returns:
        The database; None where it is a file that is not there, one that cannot be reached, or whose driver is not
        installed.
    """
    if url.startswith(_SQLITE):
        path = _file_of(url)
        opened: Callable[[], Any] = partial(sqlite3.connect, f"file:{quote(str(path))}?mode=rw", uri=True, timeout=1.0)
        with _opened(opened, sqlite3.Error) as connection:
            yield None if connection is None else _Sqlite(connection)
        return
    scheme, _, rest = url.partition("://")
    try:
        import psycopg  # noqa: PLC0415 - an extra
    except ImportError:
        yield None
        return
    if scheme.partition("+")[0] != "postgresql":
        yield None
        return
    from monitoring.store.patient_connection import connect  # noqa: PLC0415 - brings psycopg, an extra

    more = {} if "options=" in rest else {"options": "-c timezone=UTC"}
    opened = partial(connect, f"postgresql://{rest}", _PATIENCE, autocommit=True, **more)
    with _opened(opened, psycopg.Error) as connection:
        yield None if connection is None else _PostgreSQL(connection)


def _file_of(url: str) -> Path:
    """The file of an SQLite store."""
    return Path(url.removeprefix(_SQLITE).partition("?")[0])


@contextmanager
def _opened(connect: Callable[[], Any], failures: type[Exception]) -> Iterator[Any]:
    """A connection until the block ends; None where there is none to be had."""
    try:
        connection = connect()
    except failures:
        yield None
        return
    with closing(connection):
        yield connection


@dataclass(frozen=True, slots=True)
class _Sqlite:
    connection: sqlite3.Connection

    def rows(self, statement: str, values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        try:
            return self.connection.execute(statement, _texts(values)).fetchall()
        except sqlite3.Error:
            return ()

    def execute(self, statements: Iterable[Statement]) -> bool:
        try:
            self.connection.execute("PRAGMA synchronous = NORMAL")  # as every connection of a store
            with self.connection:
                for statement, values in statements:
                    self.connection.execute(statement, _texts(values))
        except sqlite3.Error:
            return False
        return True


@dataclass(frozen=True, slots=True)
class _PostgreSQL:
    connection: Any

    def rows(self, statement: str, values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        import psycopg  # noqa: PLC0415 - an extra

        try:
            result: list[tuple[Any, ...]] = self.connection.execute(_named(statement), values).fetchall()
        except psycopg.Error:
            return ()
        return result

    def execute(self, statements: Iterable[Statement]) -> bool:
        import psycopg  # noqa: PLC0415 - an extra

        try:
            with self.connection.transaction():
                for statement, values in statements:
                    self.connection.execute(_named(statement), values)
        except psycopg.Error:
            return False
        return True


def _named(statement: str) -> Any:
    """A statement with psycopg's names.

    >>> _named("UPDATE deployment SET checked_at = :now WHERE id = :id")
    'UPDATE deployment SET checked_at = %(now)s WHERE id = %(id)s'
    """
    return re.sub(r":(\w+)", r"%(\1)s", statement)


def _texts(values: Mapping[str, object]) -> dict[str, object]:
    """Values with times as the store's SQLite files have them."""
    return {
        name: value.astimezone(UTC).strftime(_TIME) if isinstance(value, datetime) else value
        for name, value in values.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A run that judged all that was due.

    Attributes:
        checked_at: When it was, aware; None where there was none.
        next_due_at: No window is due before, whatever traffic comes; None where that is not known.
        traffic_state: A digest of the traffic's files if all their rows are in judged windows; empty otherwise.
    """

    checked_at: datetime | None = None
    next_due_at: datetime | None = None
    inputs: str = ""
    traffic_state: str = ""

    def nothing_due(self, *, inputs: str, traffic_state: str, now: datetime) -> bool:
        """Whether a run would find nothing to judge.

        Returns:
            Whether the inputs are the same and either no window can be due yet, or no file has changed.

        >>> noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
        >>> check = Check(checked_at=noon, next_due_at=noon, inputs="a", traffic_state="b")
        >>> [check.nothing_due(inputs=i, traffic_state=t, now=noon) for i, t in (("a", "b"), ("a", "c"), ("x", "b"))]
        [True, False, False]
        """
        if not self.inputs or inputs != self.inputs:
            return False
        early = self.next_due_at is not None and now < self.next_due_at
        return early or bool(traffic_state and traffic_state == self.traffic_state)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleDeployment:
    """A deployment as a run with nothing to do sees it.

    Attributes:
        judged_until: The end of its last window; None before the first.
        unacknowledged_pages: Those that nobody has acknowledged since they were opened or became worse, snoozed ones
            apart.
        pending: Events that somebody is still to be notified of, snoozed ones apart.
        undelivered: Events that were sent and did not reach all: those that are pending still, and those given up.
        rollouts: Rollouts of the deployment that go on, whose workers may be dead.
        label_cursor: What its last window knows of labels, as JSON; empty before the first.
    """

    number: int
    check: Check
    judged_until: datetime | None
    open_pages: int
    unacknowledged_pages: int
    pending: int
    given_up: int = 0
    undelivered: int = 0
    rollouts: int = 0
    label_cursor: str = ""
    numbers: tuple[int, ...] = ()

    @property
    def labels_read(self) -> int:
        """How many labels its windows have seen."""
        return int(json.loads(self.label_cursor or "{}").get(LABELS_READ, 0))


def read_idle(database: PlainDatabase, name: str, now: datetime) -> tuple[IdleDeployment, ...]:
    """Read the deployments of a name that are in use, without loading SQLAlchemy, which takes a third of a second.

    Returns:
        The deployments in order of creation; none where there is none, or the store is of another release or in use.
    """
    rows = database.rows(READ_IDLE, {"name": name, "now": now})
    return tuple(
        IdleDeployment(
            number=number,
            check=Check(checked_at=_time(checked), next_due_at=_time(due), inputs=inputs, traffic_state=state),
            judged_until=_time(end),
            open_pages=pages,
            unacknowledged_pages=unacknowledged,
            pending=pending,
            given_up=given_up,
            undelivered=undelivered,
            rollouts=rollouts,
            label_cursor=cursor or "",
            numbers=(number,),
        )
        for (
            number,
            checked,
            due,
            inputs,
            state,
            end,
            pages,
            unacknowledged,
            pending,
            given_up,
            undelivered,
            rollouts,
            cursor,
        ) in rows
    )


def rollouts_going_on(url: str, name: str) -> tuple[int, ...] | None:
    """The numbers of a name's rollouts that go on in the store at a URL.

    Cost: some 0.2 ms of an SQLite file, a connection of PostgreSQL.

    Returns:
        The numbers, in order; none where the store is a file that is not there, or has no such table. None where it
        cannot be reached.
    """
    with plain_database(url) as database:
        if database is None:
            return () if url.startswith(_SQLITE) and not _file_of(url).exists() else None
        return tuple(number for (number,) in database.rows(GOING_ON, {"name": name}))


def together(idle: Sequence[IdleDeployment]) -> IdleDeployment:
    """Several versions of a model as one: the newest, with what all of them have open and pending."""
    ends = [deployment.judged_until for deployment in idle if deployment.judged_until is not None]
    return replace(
        idle[-1],
        judged_until=max(ends, default=None),
        open_pages=sum(deployment.open_pages for deployment in idle),
        unacknowledged_pages=sum(deployment.unacknowledged_pages for deployment in idle),
        pending=sum(deployment.pending for deployment in idle),
        given_up=sum(deployment.given_up for deployment in idle),
        undelivered=sum(deployment.undelivered for deployment in idle),
        numbers=tuple(deployment.number for deployment in idle),
    )


def idle_in(
    database: PlainDatabase,
    name: str,
    inputs: Collection[str],
    traffic_state: Callable[[], str],
    now: datetime,
    label_logs: Collection[Path] = (),
) -> IdleDeployment | None:
    """The deployments of a name as one, where a run would find nothing to do; that it was checked is recorded.

    Args:
        inputs: Digests of what a run goes by: one for each version.
        traffic_state: Gives a digest of the traffic's files; called where one is known.
        label_logs: Where the label log may be; if labels were read, and all are gone or empty, a run says so.
    """
    deployments = read_idle(database, name, now)
    if not deployments:
        return None
    if label_logs and any(one.labels_read for one in deployments) and not any(map(_has_file, label_logs)):
        return None
    state = traffic_state() if any(deployment.check.traffic_state for deployment in deployments) else ""
    for deployment in deployments:
        check = deployment.check
        if check.inputs not in inputs or not check.nothing_due(inputs=check.inputs, traffic_state=state, now=now):
            return None
    idle = together(deployments)
    return idle if touch(database, name, idle.numbers, now) else None


def _has_file(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


def touch(database: PlainDatabase, name: str, numbers: Sequence[int], now: datetime) -> bool:
    """Record a check that found nothing due. Returns False where the store cannot be written."""
    checked = [(CHECKED, {"now": now, "number": number}) for number in numbers]
    return database.execute([*checked, (SUCCEEDED, {"now": now, "name": name})])


def _time(value: str | datetime | None) -> datetime | None:
    """A time as the database gives it: SQLite as text in UTC."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value
