"""Exact values in a database: floats in 64 bits, times in UTC."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Double
from sqlalchemy.types import TypeDecorator

from monitoring.records import (
    CauseDetail,
    CauseRow,
    Condition,
    IncidentEvent,
    InputDrift,
    LossSplit,
    SlicePart,
    Subgroup,
)


class ExactFloat(TypeDecorator[float]):
    """A float that comes back to the last bit, infinities included; -0 is stored as 0.

    NaN is refused with ValueError: it is neither evidence nor a score, and SQLite would store NULL in its place.
    """

    impl = Double
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[float | None], float | None]:
        """How values are converted for the database."""
        return _stored_float


def _stored_float(value: float | None) -> float | None:
    if value is None:
        return None
    if math.isnan(value):
        raise ValueError("NaN is not stored: it is neither evidence nor a score")
    return float(value) + 0.0


def number_json(value: float | None) -> float | str | None:
    """A float as JSON has it, which `float` reads; an infinity is text, as JSON has none. Raises ValueError for NaN.

    >>> number_json(0.1), number_json(float("-inf"))
    (0.1, '-inf')
    """
    stored = _stored_float(value)
    return str(stored) if stored is not None and math.isinf(stored) else stored


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


def history_of(text: str) -> tuple[IncidentEvent, ...]:
    """The inverse of `history_text`."""
    return tuple(IncidentEvent(at=datetime.fromisoformat(at), state=state) for at, state in json.loads(text))
