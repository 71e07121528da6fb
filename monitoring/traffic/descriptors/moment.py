"""Dates, times and durations: how long before its row a moment lies, and how long a duration is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.traffic.cells import as_strings, is_text, non_blank
from monitoring.traffic.descriptors.descriptors import Descriptors

_DAY_US = 86_400_000_000
_HOUR_US = 3_600_000_000

#: A date or a time in ISO 8601, in UTC or without a zone.
_ISO = r"^\s*\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]00:00)?)?\s*$"


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentDescriptors(Descriptors):
    """The descriptors of a column of dates, timestamps, times of day or durations. A `Descriptors`.

    A date says little by itself, as it moves on with the traffic; how long before its row it lies stays as it was.

    Attributes:
        unit: What is counted of it: "days_before" its row, the "hour" of a time of day, or "seconds" of a duration.

    >>> opened, row = pa.array([86_400_000_000], pa.timestamp("us")), np.array([3 * 86_400_000_000])
    >>> MomentDescriptors(source="opened", unit="days_before").describe(opened, row)["opened.days_before"].to_pylist()
    [2.0]
    """

    source: str
    unit: str

    kind = "moment"

    @classmethod
    def of_type(cls, source: str, kind: pa.DataType) -> MomentDescriptors | None:
        """The descriptors of a column of a type, dates as text included; None for a type that holds none of them."""
        if pa.types.is_time(kind):
            return cls(source=source, unit="hour")
        if pa.types.is_duration(kind):
            return cls(source=source, unit="seconds")
        is_moment = pa.types.is_timestamp(kind) or pa.types.is_date(kind) or is_text(kind)
        return cls(source=source, unit="days_before") if is_moment else None

    @property
    @override
    def kinds(self) -> Mapping[str, Literal["number", "category"]]:
        return {f"{self.source}.{self.unit}": "number"}

    @override
    def reads(self, kind: pa.DataType) -> bool:
        descriptors = MomentDescriptors.of_type(self.source, kind)
        return pa.types.is_null(kind) or (descriptors is not None and descriptors.unit == self.unit)

    @override
    def describe(self, cells: pa.Array, event_us: NDArray[np.int64]) -> dict[str, pa.Array]:
        numbers = np.full(len(cells), np.nan)
        cells = _parsed(cells) if is_text(cells.type) else cells
        places = np.flatnonzero(np.asarray(cells.is_valid(), dtype=np.bool_))
        if places.size:
            us = _microseconds(cells.take(pa.array(places)))
            if self.unit == "days_before":
                numbers[places] = (event_us[places] - us) / _DAY_US
            else:
                numbers[places] = us / (_HOUR_US if self.unit == "hour" else 1_000_000)
        return {f"{self.source}.{self.unit}": pa.array(numbers)}

    @override
    def document(self) -> dict[str, Any]:
        return {"kind": self.kind, "source": self.source, "unit": self.unit}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> MomentDescriptors:
        """The descriptors of a document that `document` gave."""
        return cls(source=document["source"], unit=document["unit"])


def holds_moments(texts: pa.Array) -> bool:
    """Whether all of some texts are dates or times in ISO 8601, blank ones apart.

    >>> holds_moments(pa.array(["2024-03-05", "2024-03-06 12:30", " "])), holds_moments(pa.array(["12", ""]))
    (True, False)

    Returns:
        False where there is none at all.
    """
    cells = texts.filter(non_blank(texts))
    return bool(len(cells)) and bool(pc.all(pc.match_substring_regex(as_strings(cells), _ISO)).as_py())


def _parsed(texts: pa.Array) -> pa.Array:
    """Texts as moments; null for what is none."""
    cells = as_strings(texts)
    fits = pc.fill_null(pc.match_substring_regex(cells, _ISO), fill_value=False)
    trimmed = pc.utf8_trim_whitespace(pc.if_else(fits, cells, None))
    plain = pc.replace_substring_regex(trimmed, r"(Z|[+-]00:00)$", "")
    plain = pc.replace_substring_regex(plain, r"(\.\d{6})\d+$", r"\1")
    try:
        return plain.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:  # a day that no month has
        return pa.array([_moment(text) for text in plain.to_pylist()], pa.timestamp("us"))


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None


def _microseconds(cells: pa.Array) -> NDArray[np.float64]:
    """Moments, times of day or durations in microseconds, [n], none null."""
    kind = cells.type
    if pa.types.is_time(kind):
        whole = cells.cast(pa.time64("us")).cast(pa.int64())
    elif pa.types.is_duration(kind):
        whole = cells.cast(pa.duration("us"), safe=False).cast(pa.int64())
    else:
        whole = cells.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    return np.asarray(whole, dtype=np.float64)
