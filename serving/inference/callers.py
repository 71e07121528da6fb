"""The request id and event time of a caller: the headers ``X-Request-Id`` and ``X-Event-Time``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serving.capture.capture import Caller
from serving.inference.timestamps import parse_time_us
from serving.status import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

REQUEST_ID_HEADER = b"x-request-id"
EVENT_TIME_HEADER = b"x-event-time"
REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")


def read_caller(headers: Iterable[tuple[bytes, bytes]], *, new_id: Callable[[], str], arrived_us: int) -> Caller:
    """Read the caller of a request.

    Args:
        headers: Of the request, with names in lower case.
        new_id: Makes the id of a request without ``X-Request-Id``.
        arrived_us: When the request arrived, in microseconds since 1970; the event time without ``X-Event-Time``.

    Returns:
        Id, event time and arrival.

    Raises:
        InvalidArgument: The id is not 1 to 128 visible ASCII characters, or the time is not one (see `parse_time_us`).
    """
    request_id: str | None = None
    event_time_us: int | None = arrived_us
    for name, value in headers:
        if name == REQUEST_ID_HEADER:
            if not REQUEST_ID.fullmatch(value):
                raise InvalidArgument("X-Request-Id must be 1 to 128 visible ASCII characters without spaces.")
            request_id = value.decode("ascii")
        elif name == EVENT_TIME_HEADER:
            event_time_us = parse_time_us(value.decode("latin-1").strip())
    if event_time_us is None:
        raise InvalidArgument(
            "X-Event-Time must be ISO 8601 with an offset, such as 2013-04-01T05:15:00Z, or seconds since 1970."
        )
    return Caller(request_id or new_id(), event_time_us, arrived_us)
