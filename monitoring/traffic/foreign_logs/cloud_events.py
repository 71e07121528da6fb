"""CloudEvents 1.0 as they come by HTTP, kept as lines of a log: the reader of KServe's logs makes calls of them.

Source: CloudEvents, HTTP Protocol Binding and JSON Event Format, 1.0.2. A request and its response are two events with
one id, of types that end with ``request`` and ``response``; what was right is one of a type that ends with ``label``.
"""

from __future__ import annotations

import base64
import errno
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

from monitoring.errors import BadInput, CannotRun

_STRUCTURED, _BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
_PREFIX = "ce-"

#: What every event has.
_REQUIRED = ("specversion", "id", "source", "type")


def events_of(headers: Mapping[str, str], body: bytes) -> list[dict[str, Any]]:
    r"""The events of an HTTP request, in the form of JSON: one in binary or structured mode, or a batch.

    >>> headers = {"ce-specversion": "1.0", "ce-id": "a", "ce-source": "x", "ce-type": "y.request"}
    >>> events_of({**headers, "content-type": "text/csv"}, b"1,2")[0]["data"]
    '1,2'

    Args:
        headers: names in lower case.

    Raises:
        BadInput: It is no event.
    """
    content_type = headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in {_STRUCTURED, _BATCH}:
        try:
            document = json.loads(body)
        except (ValueError, RecursionError) as error:
            _refuse(f"a body that is no JSON: {str(error).splitlines()[0]}")
        events = document if media_type == _BATCH else [document]
    else:
        named = {name: value for name, value in headers.items() if name.startswith(_PREFIX)}
        event: dict[str, Any] = {name.removeprefix(_PREFIX): unquote(value) for name, value in named.items()}
        events = [{**event, "datacontenttype": content_type or "application/json", **_data(body)}]
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        _refuse("JSON that is no object, or in a batch no list of objects")
    for event in events:
        if missing := [name for name in _REQUIRED if not isinstance(event.get(name), str) or not event[name]]:
            _refuse(f"an event without {', '.join(missing)}")
    return events


def _data(body: bytes) -> dict[str, str]:
    try:
        return {"data": body.decode()}
    except UnicodeDecodeError:
        return {"data_base64": base64.b64encode(body).decode()}


def _refuse(got: str) -> NoReturn:
    raise BadInput(
        "The request is no CloudEvent.",
        got=got,
        expected=f"headers ce-id, ce-source, ce-specversion and ce-type, or a body of {_STRUCTURED}",
        fix="Send it as the inference logger of KServe does.",
    )


def append_events(folder: Path, events: list[dict[str, Any]], at: datetime) -> None:
    """Append events to the log's file of an hour, ``YYYY/MM/DD/events-HH.jsonl``, whoever else writes there.

    They are with the operating system then: a process that is killed loses none, a machine without power may.
    An event without a time has that at which it came.

    Raises:
        CannotRun: The folder cannot be written.
    """
    arrived = at.astimezone(UTC)
    lines = (json.dumps({"time": arrived.isoformat(), **event}, ensure_ascii=False) for event in events)
    data = "".join(f"\n{line}\n" for line in lines).encode()  # the first ends a line that a full disk has cut short
    path = folder / f"{arrived:%Y/%m/%d}" / f"events-{arrived:%H}.jsonl"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.write(descriptor, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise CannotRun(
            "No event was kept.",
            got=f"{path}: {error.strerror}",
            expected="a writable folder with free space",
            fix="Free space, then send the event again.",
        ) from error
