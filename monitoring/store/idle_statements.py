"""The statements of a run with nothing to do, made from the tables.

Loading SQLAlchemy takes longer than all else that such a run does: it has their text from `idle_sql`, which this module
writes, `make sql`.
"""

from __future__ import annotations

import sys
import textwrap
from datetime import datetime
from pathlib import Path

from sqlalchemy import ClauseElement, ColumnElement, Select, case, func, literal_column, select, update
from sqlalchemy.dialects import postgresql

from monitoring.records import ROLLOUT_GOES_ON
from monitoring.store.column_types import UtcTime
from monitoring.store.tables import deployment, incident, monitor, notification, rollout, window

_HEAD = '''"""The SQL of `idle_statements`, for runs that do not load SQLAlchemy; written by `make sql`."""
'''

#: The values that a run gives.
_NAME: ColumnElement[str] = literal_column(":name")
_NUMBER: ColumnElement[int] = literal_column(":number")
_NOW: ColumnElement[datetime] = literal_column(":now", UtcTime)


def read_idle() -> Select[tuple[object, ...]]:
    """The deployments of a name that are in use, in order of creation: columns as `IdleDeployment` has them."""
    table, sent = notification.c, notification.c.deployment == deployment.c.id
    is_audible = case(
        (incident.c.snoozed_until.is_(None), ~incident.c.snoozed_until_worse), else_=incident.c.snoozed_until <= _NOW
    )
    pages = (incident.c.deployment == deployment.c.id) & (incident.c.level == "page")
    of_event = select(incident.c.number).where(
        (incident.c.deployment == table.deployment) & (incident.c.number == table.incident) & is_audible
    )
    is_due = table.next_attempt_at.is_(None) | (table.next_attempt_at <= _NOW)
    is_told = table.incident.is_(None) | table.state.in_(("acknowledged", "closed")) | of_event.exists()
    is_waiting = table.completed_at.is_(None) & table.given_up_at.is_(None)
    is_undelivered = table.completed_at.is_(None) & (table.given_up_at.is_not(None) | (table.attempts > 0))
    return (
        select(
            deployment.c.id,
            deployment.c.checked_at,
            deployment.c.next_due_at,
            deployment.c.inputs,
            deployment.c.traffic_state,
            select(func.max(window.c.end)).where(window.c.deployment == deployment.c.id).scalar_subquery(),
            _count(pages & (incident.c.state != "closed")),
            _count(pages & incident.c.state.in_(("open", "worse")) & is_audible),
            _count(sent & is_waiting & is_due & is_told),
            _count(sent & table.given_up_at.is_not(None)),
            _count(sent & is_undelivered),
            _count((rollout.c.name == deployment.c.name) & rollout.c.state.in_(ROLLOUT_GOES_ON)),
            select(window.c.label_cursor)
            .where(window.c.deployment == deployment.c.id)
            .order_by(window.c.end.desc())
            .limit(1)
            .scalar_subquery(),
        )
        .where((deployment.c.name == _NAME) & deployment.c.retired_at.is_(None))
        .order_by(deployment.c.id)
    )


def rollouts_going_on() -> Select[tuple[object, ...]]:
    """The numbers of a name's rollouts that go on."""
    goes_on = (rollout.c.name == _NAME) & rollout.c.state.in_(ROLLOUT_GOES_ON)
    return select(rollout.c.id).where(goes_on).order_by(rollout.c.id)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.count()).where(condition).correlate(deployment).scalar_subquery()


def text() -> str:
    """The text of the module `idle_sql`."""
    succeeded = {"succeeded_at": _NOW, "last_run_at": _NOW, "failures": 0, "error": ""}
    statements: dict[str, ClauseElement] = {
        "READ_IDLE": read_idle(),
        "GOING_ON": rollouts_going_on(),
        "CHECKED": update(deployment).values(checked_at=_NOW).where(deployment.c.id == _NUMBER),
        "SUCCEEDED": update(monitor).values(**succeeded).where(monitor.c.name == _NAME),
    }
    return _HEAD + "".join(f'\n{name} = """\n{_sql(statement)}\n"""\n' for name, statement in statements.items())


def _sql(statement: ClauseElement) -> str:
    """The SQL of a statement that both databases understand."""
    compiled = statement.compile(dialect=postgresql.dialect(paramstyle="named"), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]  # SQLAlchemy's
    return "\n".join(
        textwrap.wrap(" ".join(str(compiled).split()), 110, break_long_words=False, break_on_hyphens=False)
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
