"""Stores from before release 0.1.0, converted: the rows of all their tables go into today's, in one transaction.

Their floats were hexadecimal text, and their documents had other words. A failed conversion leaves the store as it was.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeAlias

from sqlalchemy import Column, Connection, String, Table, column, func, insert, inspect, select, table, text
from sqlalchemy.sql.elements import ColumnClause

from monitoring.errors import CannotRun
from monitoring.records import LEVELS
from monitoring.store.column_types import ExactFloat, diagnoses_text, number_json
from monitoring.store.migrations.legacy_incidents import legacy_diagnoses
from monitoring.store.tables import metadata

#: The revisions that are converted.
FORMER = ("0007", "0022", "0023", "0024", "0025", "0026", "0027", "0028")

#: What the name of a former table begins with while its rows are copied.
_PREFIX = "former_"

#: Rows that are read and written together.
_AT_ONCE = 2_000

Row: TypeAlias = dict[str, Any]

#: Indexes and sequences have their names for themselves in PostgreSQL, also those of renamed tables.
_NAMED = """
SELECT c.relname FROM pg_class AS c
WHERE c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = to_regclass(:name))
   OR (c.relkind = 'S' AND c.oid IN (SELECT objid FROM pg_depend WHERE refobjid = to_regclass(:name)))
"""

_GRANTS = """
SELECT acl.privilege_type, CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END
FROM pg_class AS c, aclexplode(c.relacl) AS acl
WHERE c.oid = to_regclass(:name) AND acl.grantee <> c.relowner
"""

#: Incidents of 0007 said themselves who was told of them: what not everybody was told of is an event, and after 96
#: attempts it was given up, although it was stored as told.
_EVENTS = """
INSERT INTO notification (deployment, event, incident, state, at, reached, abandoned, attempts, given_up_at)
SELECT i.deployment, d.model || '/' || d.id || '/' || i.number || '/0', i.number, 'open', i.opened_at, i.told, '[]',
       i.tellings, CASE WHEN i.tellings >= 96 THEN i.told_at END
FROM former_incident AS i JOIN deployment AS d ON d.id = i.deployment
WHERE i.told_at IS NULL OR i.tellings >= 96
ORDER BY i.deployment, i.number
"""

#: Up to 0025 nothing said which deployments are in use: of each name that is the one that was used last.
_RETIRED = """
UPDATE deployment SET retired_at = used_at, retired_as = 'replaced'
WHERE EXISTS (
  SELECT 1 FROM deployment AS other
  WHERE other.name = deployment.name
    AND (other.used_at > deployment.used_at OR (other.used_at = deployment.used_at AND other.id > deployment.id)))
"""


def convert(connection: Connection) -> None:
    """Make today's tables of those of one of the revisions `FORMER`, inside the connection's transaction.

    Cost: some 10 µs for each row; the database is as large again until its space is used anew.
    """
    former = {name: columns for name, columns in _columns(connection) if name in metadata.tables}
    grants = [grant for name in former for grant in _put_aside(connection, name)]
    metadata.create_all(connection, checkfirst=False)
    for target in metadata.sorted_tables:
        if target.name in former:
            _copy(connection, target, former[target.name])
    if "told" in former["incident"]:
        connection.execute(text(_EVENTS))
    if "retired_at" not in former["deployment"]:
        connection.execute(text(_RETIRED))
    for target in reversed(metadata.sorted_tables):
        if target.name in former:
            connection.exec_driver_sql(f'DROP TABLE "{_PREFIX}{target.name}"')
    for grant in grants:
        connection.exec_driver_sql(grant)


def _columns(connection: Connection) -> Iterator[tuple[str, frozenset[str]]]:
    inspector = inspect(connection)
    for name in inspector.get_table_names():
        yield name, frozenset(found["name"] for found in inspector.get_columns(name))


def _put_aside(connection: Connection, name: str) -> list[str]:
    """Give a table, its indexes and its sequences other names; the statements that grant others what they may do."""
    quoted, grants = f'"{name}"', list[str]()
    if connection.dialect.name == "postgresql":
        for right, who in connection.execute(text(_GRANTS), {"name": quoted}):
            grants.append(f"GRANT {right} ON {quoted} TO {who}")
        for named in connection.execute(text(_NAMED), {"name": quoted}).scalars().all():
            connection.exec_driver_sql(f'ALTER TABLE "{named}" RENAME TO "{_PREFIX}{named}"')
    else:
        indexes = text("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = :name AND sql IS NOT NULL")
        for index in connection.execute(indexes, {"name": name}).scalars().all():
            connection.exec_driver_sql(f'DROP INDEX "{index}"')
    connection.exec_driver_sql(f'ALTER TABLE {quoted} RENAME TO "{_PREFIX}{name}"')
    return grants


def _copy(connection: Connection, target: Table, former: frozenset[str]) -> None:
    """Copy the rows of a former table. Raises CannotRun where not all of them have arrived."""
    columns = [_as_stored(column) for column in target.columns if column.name in former]
    columns += [column(name, String()) for name in _GONE.get(target.name, ())]
    source = table(_PREFIX + target.name, *columns)
    floats = [column.name for column in target.columns if isinstance(column.type, ExactFloat)]
    changed, query = _CHANGES.get(target.name, _unchanged), select(*columns).select_from(source)
    with connection.execute(query, execution_options={"yield_per": _AT_ONCE}) as result:
        for rows in result.mappings().partitions():
            try:
                converted = [changed(_with_floats(row, floats)) for row in rows]
            except (ValueError, LookupError, TypeError, zlib.error) as error:
                raise _unconverted(f"a value in the table {target.name} ({error})", "what a monitor wrote") from error
            connection.execute(insert(target), converted)
    before, after = (connection.execute(select(func.count()).select_from(each)).scalar() for each in (source, target))
    if before != after:
        raise _unconverted(f"{after} rows of the table {target.name}", f"all {before}")
    if connection.dialect.name == "postgresql" and "id" in target.columns:
        sequence = func.pg_get_serial_sequence(f'"{target.name}"', "id")
        connection.execute(select(func.setval(sequence, func.max(target.c.id))))


def _unconverted(got: str, expected: str) -> CannotRun:
    return CannotRun(
        "The store cannot be converted to this release's tables.",
        got=got,
        expected=expected,
        fix="Nothing was changed, and the earlier version still reads it. Restore a backup, or use another store.",
    )


def _as_stored(target: Column[Any]) -> ColumnClause[Any]:
    return column(target.name, String() if isinstance(target.type, ExactFloat) else target.type)


def _with_floats(row: Mapping[Any, Any], names: list[str]) -> Row:
    """A row with its floats, which were hexadecimal text."""
    converted = dict(row)
    for name in names:
        if converted.get(name) is not None:
            converted[name] = float.fromhex(converted[name])
    return converted


def _unchanged(row: Row) -> Row:
    return row


def _deployment(row: Row) -> Row:
    """The name was the model's; baseline scores and sensitivities had floats as hexadecimal text, and no gain."""
    baseline, sensitivity = json.loads(row["baseline"]), json.loads(row["sensitivity"])
    for score in baseline:
        score.setdefault("gain", (1.0).hex())
    documents = ((baseline, ("mean", "deviation", "tolerance", "gain")), (sensitivity, ("rise",)))
    for each, names in documents:
        for document in each:
            numbers = {name: float.fromhex(document[name]) for name in names if document[name] is not None}
            document |= {name: number_json(number) for name, number in numbers.items()}
    return {
        **row,
        "name": row.get("name") or row["model"],
        "baseline": json.dumps(baseline),
        "sensitivity": json.dumps(sensitivity),
    }


def _window(row: Row) -> Row:
    """No evidence that a loss has risen was kept apart, and estimates had other words."""
    row.setdefault("loss_log_evidence", float("-inf"))
    if row["estimates"] is None:
        return row
    document = json.loads(row["estimates"])
    for estimate in document["estimates"]:
        estimate["interval_checks"] = checks = estimate.pop("account")
        checks["log_capital"] = checks.pop("log_doubt")
    realised = [
        {**{name: losses.pop(name, {}) for name in ("start", "rows", "missing")}, "losses": losses}
        for losses in document["settled"]
    ]
    return {**row, "estimates": json.dumps({"estimates": document["estimates"], "realised_losses": realised})}


def _state(name: str, content: str) -> str:
    """A level's autocorrelations had another word."""
    if name not in LEVELS or "memories" not in content:
        return content
    document = json.loads(content)
    return json.dumps({"ar1" if key == "memories" else key: value for key, value in document.items()})


def _states(states: Mapping[str, str]) -> dict[str, str]:
    return {name: _state(name, content) for name, content in states.items()}


def _level_state(row: Row) -> Row:
    return {**row, "text": _state(row["level"], row["text"])}


def _rebaseline(row: Row) -> Row:
    return {**row, "states": json.dumps(_states(json.loads(row["states"])))}


def _checkpoint(row: Row) -> Row:
    document = json.loads(zlib.decompress(row["content"]))
    document["states"] = _states(document["states"])
    for record in document["incidents"]:
        cause, message = record.pop("cause"), record.pop("message")
        record["diagnoses"] = diagnoses_text(
            legacy_diagnoses(
                watch=record["watch"], slice_=record["slice"], cause=cause, message=message, opened_at=row["start"]
            )
        )
    return {**row, "content": zlib.compress(json.dumps(document).encode(), 1)}


def _incident(row: Row) -> Row:
    """Its cause was in sentences; of one without a history its own times are known."""
    moments: tuple[tuple[datetime | None, str], ...] = (
        (row["opened_at"], "open"),
        (row["acknowledged_at"], "acknowledged"),
        (row["closed_at"], "closed"),
    )
    history = json.loads(row.get("history") or "[]") or [[at.isoformat(), state] for at, state in moments if at]
    diagnoses = legacy_diagnoses(
        watch=row["watch"],
        slice_=row["slice"],
        cause=row.pop("cause"),
        message=row.pop("message"),
        opened_at=row["opened_at"],
        worse_at=tuple(datetime.fromisoformat(at) for at, state in history if state == "worse"),
    )
    return {**row, "history": json.dumps(history), "diagnoses": diagnoses_text(diagnoses)}


def _fleet_page(row: Row) -> Row:
    members = [[number, number_json(float.fromhex(share))] for number, share in json.loads(row["members"])]
    return {**row, "members": json.dumps(members)}


#: Columns that are read and no more written.
_GONE: Mapping[str, tuple[str, ...]] = MappingProxyType({"incident": ("cause", "message")})

#: What else changes in the rows of a table.
_CHANGES: Mapping[str, Callable[[Row], Row]] = MappingProxyType(
    {
        "deployment": _deployment,
        "window": _window,
        "level_state": _level_state,
        "rebaseline": _rebaseline,
        "checkpoint": _checkpoint,
        "incident": _incident,
        "fleet_page": _fleet_page,
    }
)
