"""The request id and event time of a caller: the headers ``X-Request-Id`` and ``X-Event-Time``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

from serving.capture.capture import Caller
from serving.inference.request_ids import RequestIds
from serving.inference.timestamps import parse_time_us
from serving.status import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serving.inference.timestamps import EventTimeRange

REQUEST_ID_HEADER = b"x-request-id"
EVENT_TIME_HEADER = b"x-event-time"
REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")


@final
class CallerReader:
    """Reads the callers of requests. Belongs to the event loop.

    Args:
        ids: Makes ids for requests without one.
        event_times: Which event times clients may give; None for any.
    """

    def __init__(self, ids: RequestIds | None = None, event_times: EventTimeRange | None = None) -> None:
        self._ids = ids or RequestIds()
        self._event_times = event_times

    def read(self, headers: Iterable[tuple[bytes, bytes]], *, arrived_us: int, own_id: str = "") -> Caller:
        """Read the caller of a request.

        Args:
            headers: Of the request, with names in lower case.
            arrived_us: When it arrived, in microseconds since 1970; the event time without ``X-Event-Time``.
            own_id: Its id without ``X-Request-Id``; empty for a new one.

        Returns:
            Id, event time and arrival.

        Raises:
            InvalidArgument: The id is not 1 to 128 visible ASCII characters, the time is not one (see
                `parse_time_us`), or it is out of range.
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
                if event_time_us is not None and not self._takes(event_time_us, arrived_us):
                    raise InvalidArgument("X-Event-Time is out of this server's range: see --event-time-range.")
        if event_time_us is None:
            raise InvalidArgument(
                "X-Event-Time must be ISO 8601 with an offset, such as 2013-04-01T05:15:00Z, or seconds since 1970."
            )
        return Caller(request_id or own_id or self._ids.new(), event_time_us, arrived_us)

    def _takes(self, event_time_us: int, arrived_us: int) -> bool:
        return self._event_times is None or self._event_times.holds(event_time_us, arrived_us)
