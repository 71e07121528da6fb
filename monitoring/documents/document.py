"""The base of every JSON document: immutable, without unknown keys, with finite numbers and times in UTC."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

#: A time, ISO 8601 in UTC, with microseconds only where there are any.
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class Document(BaseModel):
    """A JSON document. Every key is always there; what is not known is null."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, from_attributes=True)

    @classmethod
    def of(cls, record: object, **others: Any) -> Self:
        """The document of a record: keys that are not among the others have the record's values of the same names."""
        names = (name for name in cls.model_fields if name not in others and hasattr(record, name))
        return cls(**{name: getattr(record, name) for name in names}, **others)

    def plain(self) -> dict[str, Any]:
        """The document as values that any JSON encoder takes; times are texts."""
        return self.model_dump(mode="json")


class SpanDocument(Document):
    """A half-open interval of event time."""

    start: Moment
    end: Moment


def span(start: datetime, end: datetime) -> SpanDocument:
    """An interval."""
    return SpanDocument(start=start, end=end)


def iso(moment: datetime) -> str:
    """Write a moment as documents do. Returns ISO 8601 in UTC; the text ends in Z.

    >>> iso(datetime(2013, 4, 23, 6, tzinfo=UTC))
    '2013-04-23T06:00:00Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def finite(number: float) -> float:
    """A finite number: the largest float instead of infinity, 0 instead of NaN.

    >>> finite(float("inf")), finite(float("nan"))
    (1.7e+308, 0.0)
    """
    return 0.0 if math.isnan(number) else min(max(number, -1.7e308), 1.7e308)
