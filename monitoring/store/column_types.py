"""Exact values in a database: floats as hexadecimal text, times in UTC."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator

from monitoring.records import (
    CauseDetail,
    CauseRow,
    Condition,
    IncidentEvent,
    IncidentRecord,
    InputDrift,
    LossSplit,
    SlicePart,
    Subgroup,
)


def float_text(value: float) -> str:
    """Write a float as text that is exact in any database, infinities included.

    Raises:
        ValueError: The float is NaN.

    >>> float_text(0.1), float_text(float("-inf"))
    ('0x1.999999999999ap-4', '-inf')
    """
    if math.isnan(value):
        raise ValueError("NaN is not stored: it is neither evidence nor a score")
    return float(value).hex()


def optional_float_text(value: float | None) -> str | None:
    """`float_text`, with None for None."""
    return None if value is None else float_text(value)


def float_of(text: str) -> float:
    """Read what `float_text` wrote.

    >>> float_of("0x1.999999999999ap-4")
    0.1
    """
    return float.fromhex(text)


def floats_of(texts: Sequence[str]) -> NDArray[np.float64]:
    """`float_of` of many, float64 [n]; a third of the time."""
    return np.fromiter(map(float.fromhex, texts), np.float64, len(texts))


def optional_float_of(text: str | None) -> float | None:
    """The inverse of `optional_float_text`."""
    return None if text is None else float_of(text)


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime to the microsecond, stored in UTC and returned in UTC. SQLite itself has no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert a value for the database. Raises ValueError for a datetime without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone is not stored: {value.isoformat()}")
        return value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """How values from the database are converted; of SQLite's text in a third of the time."""
        return _time_of if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert a value from the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _time_of(text: str | None) -> datetime | None:
    """A time as SQLite has it: in UTC, without saying so."""
    return None if text is None else datetime.fromisoformat(f"{text}+00:00")


def detail_text(detail: CauseDetail) -> str | None:
    """Write a detail for `detail_of`; None for an empty one. Raises ValueError for a number that is not finite."""
    if detail == CauseDetail():
        return None
    document = asdict(detail)
    document["rows"] = [{**asdict(row), "event_time": row.event_time.isoformat()} for row in detail.rows]
    if detail.subgroup is None:
        del document["subgroup"]  # as in stores of before
    return json.dumps(document, allow_nan=False)


def detail_of(text: str | None) -> CauseDetail:
    """The inverse of `detail_text`."""
    if text is None:
        return CauseDetail()
    document = json.loads(text)
    return CauseDetail(
        split=None if document["split"] is None else LossSplit(**document["split"]),
        parts=tuple(SlicePart(**part) for part in document["parts"]),
        inputs=tuple(InputDrift(**fields) for fields in document["inputs"]),
        rows=tuple(
            CauseRow(**{**row, "event_time": datetime.fromisoformat(row["event_time"])}) for row in document["rows"]
        ),
        subgroup=_subgroup(document.get("subgroup")),
    )


def _subgroup(document: dict[str, Any] | None) -> Subgroup | None:
    if document is None:
        return None
    return Subgroup(**{**document, "conditions": tuple(Condition(**fields) for fields in document["conditions"])})


def history_text(history: tuple[IncidentEvent, ...]) -> str:
    """An incident's history as JSON."""
    return json.dumps([[event.at.isoformat(), event.state] for event in history])


def history_of(text: str, incident: IncidentRecord) -> tuple[IncidentEvent, ...]:
    """The inverse of `history_text`; of an incident that was opened before histories were kept, from its own times."""
    events = json.loads(text)
    if events:
        return tuple(IncidentEvent(at=datetime.fromisoformat(at), state=state) for at, state in events)
    moments = ((incident.opened_at, "open"), (incident.acknowledged_at, "acknowledged"), (incident.closed_at, "closed"))
    return tuple(IncidentEvent(at=at, state=state) for at, state in moments if at is not None)  # type: ignore[arg-type]
