"""What the last complete run of a deployment left: when it was, and from when on a window may be due."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

_SQLITE = "sqlite:///"
_TIME = "%Y-%m-%d %H:%M:%S.%f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A run that judged all that was due.

    Attributes:
        checked_at: When it was, aware; None where there was none.
        next_due_at: No window is due before, whatever traffic comes; None where that is not known.
        inputs: A digest of the config and the baseline that it used.
        traffic_state: A digest of the traffic's files if all their rows are in judged windows; empty otherwise.
    """

    checked_at: datetime | None = None
    next_due_at: datetime | None = None
    inputs: str = ""
    traffic_state: str = ""

    def nothing_due(self, *, inputs: str, traffic_state: str, now: datetime) -> bool:
        """Whether a run would find nothing to judge.

        Args:
            inputs: The digest of the config and the baseline as they are.
            traffic_state: The digest of the traffic's files as they are; empty where it is not known.
            now: The time, aware.

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
        number: Its number in the store.
        check: What the last complete run left.
        judged_until: The end of its last window; None before the first.
        open_pages: Pages that are not closed.
        unacknowledged_pages: Those that nobody has acknowledged since they were opened or became worse, snoozed ones
            apart.
        pending: Events that somebody is still to be notified of, snoozed ones apart.
        given_up: Events that somebody was never notified of.
    """

    number: int
    check: Check
    judged_until: datetime | None
    open_pages: int
    unacknowledged_pages: int
    pending: int
    given_up: int = 0


def read_idle(url: str, name: str, inputs: str, now: datetime) -> IdleDeployment | None:
    """Read a deployment of an SQLite store without loading SQLAlchemy, which takes a third of a second.

    Args:
        url: The store's URL.
        name: The deployment's name.
        inputs: The digest of the config and the baseline.
        now: The time, aware.

    Returns:
        The deployment that was run last with these inputs; None where there is none, or the store is another database,
        of another release, or in use.
    """
    path = Path(url.removeprefix(_SQLITE).partition("?")[0])
    if not url.startswith(_SQLITE) or not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=1.0)) as connection:
            asked = {"name": name, "inputs": inputs, "now": _time_text(now)}
            row = connection.execute(_QUERY, asked).fetchone()
    except sqlite3.Error:
        return None
    if row is None:
        return None
    number, checked, due, state, end, pages, unacknowledged, pending, given_up = row
    check = Check(checked_at=_time(checked), next_due_at=_time(due), inputs=inputs, traffic_state=state)
    return IdleDeployment(
        number=number,
        check=check,
        judged_until=_time(end),
        open_pages=pages,
        unacknowledged_pages=unacknowledged,
        pending=pending,
        given_up=given_up,
    )


def touch(url: str, number: int, now: datetime) -> bool:
    """Record a check that found nothing due.

    Args:
        url: The URL of an SQLite store.
        number: The deployment's number.
        now: The time, aware.

    Returns:
        Whether it was recorded; False where the store cannot be written.
    """
    path = Path(url.removeprefix(_SQLITE).partition("?")[0])
    try:
        with closing(sqlite3.connect(path, timeout=1.0)) as connection, connection:
            connection.execute("UPDATE deployment SET checked_at = ? WHERE id = ?", (_time_text(now), number))
    except sqlite3.Error:
        return False
    return True


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def _time_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_TIME)


_QUERY = """
WITH audible AS (
  SELECT * FROM incident
  WHERE CASE WHEN snoozed_until IS NULL THEN NOT snoozed_until_worse ELSE snoozed_until <= :now END
)
SELECT id, checked_at, next_due_at, traffic_state,
       (SELECT max("end") FROM window WHERE deployment = d.id),
       (SELECT count(*) FROM incident WHERE deployment = d.id AND level = 'page' AND state != 'closed'),
       (SELECT count(*) FROM audible WHERE deployment = d.id AND level = 'page' AND state IN ('open', 'worse')),
       (SELECT count(*) FROM notification AS n WHERE deployment = d.id AND completed_at IS NULL AND given_up_at IS NULL
          AND (incident IS NULL OR EXISTS (
            SELECT 1 FROM audible AS a WHERE a.deployment = d.id AND a.number = n.incident))),
       (SELECT count(*) FROM notification WHERE deployment = d.id AND given_up_at IS NOT NULL)
FROM deployment AS d WHERE name = :name AND inputs = :inputs ORDER BY used_at DESC, id DESC LIMIT 1
"""
