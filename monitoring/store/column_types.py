"""Exact values in a database: floats in 64 bits, times in UTC."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import DateTime, Dialect, Double
from sqlalchemy.types import TypeDecorator

from monitoring.records import CauseDetail, Diagnosis, IncidentEvent


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
    return None if detail == CauseDetail() else _text(_details(), detail)


def detail_of(text: str | None) -> CauseDetail:
    """The inverse of `detail_text`."""
    return CauseDetail() if text is None else _details().validate_json(text)


def diagnoses_text(diagnoses: tuple[Diagnosis, ...]) -> str:
    """An incident's diagnoses as JSON. Raises ValueError for a number that is not finite."""
    return _text(_diagnoses(), diagnoses)


def diagnoses_of(text: str) -> tuple[Diagnosis, ...]:
    """The inverse of `diagnoses_text`."""
    return _diagnoses().validate_json(text)


@cache
def _details() -> TypeAdapter[CauseDetail]:
    return TypeAdapter(CauseDetail)


@cache
def _diagnoses() -> TypeAdapter[tuple[Diagnosis, ...]]:
    return TypeAdapter(tuple[Diagnosis, ...])


def _text(adapter: TypeAdapter[Any], value: object) -> str:
    return json.dumps(adapter.dump_python(value, mode="json"), allow_nan=False)


def history_text(history: tuple[IncidentEvent, ...]) -> str:
    """An incident's history as JSON."""
    return json.dumps([[event.at.isoformat(), event.state] for event in history])


def history_of(text: str) -> tuple[IncidentEvent, ...]:
    """The inverse of `history_text`."""
    return tuple(IncidentEvent(at=datetime.fromisoformat(at), state=state) for at, state in json.loads(text))
