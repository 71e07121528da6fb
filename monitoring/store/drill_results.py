"""Drills in the store, by the name of their deployment: results outlive a new baseline."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, delete, insert, select

from monitoring.records import DrillRecord, DrillRun, FaultResult, UnfitFault
from monitoring.store.tables import drill, drill_result
from monitoring.store.transactions import Transactions

#: Drills that are kept of each name, the last ones.
KEPT = 100

#: What is stored as it is.
_PLAIN = (
    "name",
    "version",
    "basis",
    "at",
    "by",
    "release",
    "seed",
    "source",
    "source_windows",
    "source_start",
    "source_end",
    "lead",
    "windows",
    "replicates",
    "false_pages",
    "false_notices",
)
_OF_FAULT = ("fault", "title", "what", "touches", "level", "promised")


def _values(fault: FaultResult) -> dict[str, Any]:
    """A result as columns; those that follow from its runs are there for readers of SQL."""
    return {
        **{name: getattr(fault, name) for name in _OF_FAULT},
        "replicates": len(fault.runs),
        "told": len(fault.detected),
        "median_delay": fault.median_delay,
        "cause": fault.cause,
        "runs": json.dumps([asdict(run) for run in fault.runs]),
    }


def _record(row: Row[Any], faults: tuple[FaultResult, ...]) -> DrillRecord:
    values = {name: getattr(row, name) for name in _PLAIN}
    unfit = tuple(UnfitFault(**fields) for fields in json.loads(row.unfit))
    return DrillRecord(**values, faults=faults, unfit=unfit, number=row.id)


def _result(row: Row[Any]) -> FaultResult:
    values = {name: getattr(row, name) for name in _OF_FAULT}
    return FaultResult(**values, runs=tuple(DrillRun(**fields) for fields in json.loads(row.runs)))


class DrillTable:
    """The drills of a store, by the name of their deployment."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def save(self, record: DrillRecord) -> int:
        """Add a drill, and delete those of its name that are older than the last `KEPT`."""
        with self._transactions.writing() as connection:
            values = {name: getattr(record, name) for name in _PLAIN}
            values["unfit"] = json.dumps([asdict(fault) for fault in record.unfit])
            number = int(connection.execute(insert(drill).values(**values).returning(drill.c.id)).scalar_one())
            for position, fault in enumerate(record.faults):
                connection.execute(insert(drill_result).values(drill=number, position=position, **_values(fault)))
            of_name = select(drill.c.id).where(drill.c.name == record.name).order_by(drill.c.id.desc())
            old = connection.execute(of_name.offset(KEPT)).scalars().all()
            if old:
                connection.execute(delete(drill_result).where(drill_result.c.drill.in_(old)))
                connection.execute(delete(drill).where(drill.c.id.in_(old)))
            return number

    def latest(self, name: str, *, latest: int = KEPT) -> tuple[DrillRecord, ...]:
        """The last drills of a name."""
        with self._transactions.reading() as connection:
            rows = connection.execute(
                select(drill).where(drill.c.name == name).order_by(drill.c.id.desc()).limit(latest)
            ).all()
            results: dict[int, list[FaultResult]] = {row.id: [] for row in rows}
            query = select(drill_result).where(drill_result.c.drill.in_(results)).order_by(drill_result.c.position)
            for result in connection.execute(query):
                results[result.drill].append(_result(result))
            return tuple(_record(row, tuple(results[row.id])) for row in rows)
