"""A reader: lines of an id, a time, a request and a response, with tabs between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from monitoring.traffic.foreign_logs.records import LoggedSide, microseconds


def read_pairs(path: Path) -> Iterator[LoggedSide | None]:
    """Read one file. A line that is none is given as None, and counted."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            parts = line.rstrip("\n").split("\t")
            if len(parts) != 4:
                yield None
                continue
            call_id, time, request, response = parts
            yield LoggedSide(id=call_id, side="request", body=request, at_us=microseconds(time))
            yield LoggedSide(id=call_id, side="response", body=response)
