"""Exact values in a database: floats as hexadecimal text, times in UTC."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator


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
