"""Erasing predictions from the store: rows named with an incident, and ids in messages, findings and notes.

The statistics of a column's values in the last window, which the schema's drift comparators keep, go if they name a
value: the next window is then compared with none.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Column, Connection, Table, select, update

from monitoring.erasure.change import SHOWN
from monitoring.records.state_names import StateName
from monitoring.store import leases
from monitoring.store.column_types import detail_of, detail_text
from monitoring.store.store import Store
from monitoring.store.tables import (
    checkpoint,
    incident,
    incident_action,
    lease,
    level_state,
    rebaseline,
    run,
    window,
    window_attempt,
)

#: Which of some prediction ids are to be erased.
Wanted: TypeAlias = Callable[[tuple[str, ...]], tuple[bool, ...]]

#: Stands where an id or a value was.
ERASED = "[erased]"

#: The state that has the statistics of the last window's values.
_STATISTICS: StateName = "compared"

#: Texts that people or messages may name a row in, each with the part of a receipt that counts it.
_TEXTS: tuple[tuple[str, Table, tuple[Column[Any], ...]], ...] = (
    ("notes", incident_action, (incident_action.c.text,)),
    ("notes", rebaseline, (rebaseline.c.reason,)),
    ("errors of runs", run, (run.c.error,)),
    ("errors of runs", window_attempt, (window_attempt.c.error,)),
)


#: The parts of findings and of an incident's diagnoses that may quote a row.
_OF_FINDINGS = frozenset({"old_name", "new_name", "numbers", "example", "error", "group", "description"})
_QUOTING = frozenset({"message", "line", "headline", "text", "step", "again"}) | _OF_FINDINGS

#: The tables that rows and texts are erased from.
ERASED_TABLES: tuple[Table, ...] = (
    *dict.fromkeys(table for _, table, _ in _TEXTS),
    incident,
    window,
    level_state,
    checkpoint,
)


def erased_text(written: str, words: Collection[str]) -> str:
    """A text without some words; each is found whole, or cut to the length that messages show.

    >>> erased_text("1 label is of no known prediction; its id is 'a:0'.", ["a:0"])
    "1 label is of no known prediction; its id is '[erased]'."
    >>> erased_text("a:01", ["a:0"])
    'a:01'
    """
    for word in words:
        for shown in dict.fromkeys((word, word[:SHOWN])):
            if shown in written:
                written = re.sub(rf"(?<![\w:-]){re.escape(shown)}(?![\w:-])", ERASED, written)
    return written


def erase_rows(store: Store, wanted: Wanted, words: Collection[str], now: datetime) -> dict[str, int]:
    """Erase predictions from all deployments: sums, scores and verdicts stay.

    What was changed stays in the database's free pages until `monitoring.erasure.erase.rewrite`.

    Cost: every incident, finding, note and run's error is read; a search of each for each word.

    Raises:
        CannotRun: A run is judging, and would write back what it has read.
    """
    with store.transactions.writing() as connection:
        for number in connection.execute(select(lease.c.deployment)).scalars():
            leases.check_free(connection, number, now)
        counts = {"incident rows": _erase_rows(connection, wanted), "findings": _erase_findings(connection, words)}
        counts["checkpoints"] = _erase_checkpoints(connection, wanted, words)
        counts["statistics"] = _erase_statistics(connection, words)
        counts["incident messages"] = _erase_diagnoses(connection, words)
        for name, table, columns in _TEXTS:
            counts[name] = counts.get(name, 0) + _erase_texts(connection, table, columns, words)
    return counts


def _erase_rows(connection: Connection, wanted: Wanted) -> int:
    erased = 0
    columns = (incident.c.deployment, incident.c.number, incident.c.detail)
    for row in connection.execute(select(*columns).where(incident.c.detail.is_not(None))).all():
        detail, gone = _without_rows(row.detail, wanted)
        if gone:
            condition = (incident.c.deployment == row.deployment) & (incident.c.number == row.number)
            connection.execute(update(incident).where(condition).values(detail=detail))
            erased += gone
    return erased


def _without_rows(text: str | None, wanted: Wanted) -> tuple[str | None, int]:
    """An incident's detail without some rows, and how many there were."""
    detail = detail_of(text)
    gone = wanted(tuple(row.prediction_id for row in detail.rows))
    rows = tuple(row for row, away in zip(detail.rows, gone, strict=True) if not away)
    return (detail_text(replace(detail, rows=rows)) if any(gone) else text), sum(gone)


def _erase_checkpoints(connection: Connection, wanted: Wanted, words: Collection[str]) -> int:
    """The deployments as they were before earlier windows: their incidents, and the statistics of a window."""
    erased = 0
    for row in connection.execute(select(checkpoint)).all():
        before = json.loads(zlib.decompress(row.content))
        incidents = [
            {
                **record,
                "detail": _without_rows(record["detail"], wanted)[0],
                "diagnoses": _without_words(record["diagnoses"], words),
            }
            for record in before["incidents"]
        ]
        after = {**before, "states": _without_statistics(before["states"], words), "incidents": incidents}
        if after != before:
            condition = (checkpoint.c.deployment == row.deployment) & (checkpoint.c.start == row.start)
            content = zlib.compress(json.dumps(after).encode(), 1)
            connection.execute(update(checkpoint).where(condition).values(content=content))
            erased += 1
    return erased


def _without_statistics(states: Mapping[StateName, str], words: Collection[str]) -> dict[StateName, str]:
    """States without the statistics of a window's values, if those name one of the words."""
    statistics = states.get(_STATISTICS, "")
    return {**states, **({_STATISTICS: ""} if any(json.dumps(word) in statistics for word in words) else {})}


def _erase_findings(connection: Connection, words: Collection[str]) -> int:
    erased = 0
    query = select(window.c.id, window.c.findings, window.c.fact).where(window.c.findings != "[]")
    for row in connection.execute(query).all():
        before = json.loads(row.findings)
        after = _erased(before, words)
        if after != before:
            values = {"findings": json.dumps(after), "fact": erased_text(row.fact, words)}
            connection.execute(update(window).where(window.c.id == row.id).values(values))
            erased += sum(finding != other for finding, other in zip(before, after, strict=True))
    return erased


def _erase_diagnoses(connection: Connection, words: Collection[str]) -> int:
    erased = 0
    for row in connection.execute(select(incident.c.deployment, incident.c.number, incident.c.diagnoses)).all():
        after = _without_words(row.diagnoses, words)
        if after != row.diagnoses:
            condition = (incident.c.deployment == row.deployment) & (incident.c.number == row.number)
            connection.execute(update(incident).where(condition).values(diagnoses=after))
            erased += 1
    return erased


def _without_words(diagnoses: str, words: Collection[str]) -> str:
    """The diagnoses of an incident, as JSON, without some words in what they quote."""
    before = json.loads(diagnoses)
    after = _erased(before, words)
    return diagnoses if after == before else json.dumps(after)


def _erased(document: Any, words: Collection[str], name: str = "") -> Any:
    if isinstance(document, dict):
        return {key: _erased(value, words, key) for key, value in document.items()}
    if isinstance(document, list):
        return [_erased(value, words, name) for value in document]
    return erased_text(document, words) if isinstance(document, str) and name in _QUOTING else document


def _erase_statistics(connection: Connection, words: Collection[str]) -> int:
    erased = 0
    compared = level_state.c.level == _STATISTICS
    for row in connection.execute(select(level_state).where(compared)).all():
        if any(json.dumps(word) in row.text for word in words):
            condition = compared & (level_state.c.deployment == row.deployment)
            connection.execute(update(level_state).where(condition).values(text=""))
            erased += 1
    for row in connection.execute(select(rebaseline.c.deployment, rebaseline.c.position, rebaseline.c.states)).all():
        states = json.loads(row.states)
        former = _without_statistics(states, words)
        if former != states:
            condition = (rebaseline.c.deployment == row.deployment) & (rebaseline.c.position == row.position)
            connection.execute(update(rebaseline).where(condition).values(states=json.dumps(former)))
            erased += 1
    return erased


def _erase_texts(connection: Connection, table: Table, columns: tuple[Column[Any], ...], words: Collection[str]) -> int:
    erased = 0
    keys = tuple(table.primary_key.columns)
    for row in connection.execute(select(*keys, *columns)).mappings().all():
        changed = {column.name: erased_text(row[column], words) for column in columns}
        if any(changed[column.name] != row[column] for column in columns):
            statement = update(table)
            for key in keys:
                statement = statement.where(key == row[key])
            connection.execute(statement.values(changed))
            erased += 1
    return erased
