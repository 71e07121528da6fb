"""A receiver of notifications by HTTP, on this machine, and the incident that it is notified of."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from monitoring.documents.deployment import DeploymentDocument
from monitoring.notifications.notification import Notification
from monitoring.notifications.routes.post import post
from monitoring.notifications.routes.sending import Sender
from monitoring.records import IncidentRecord
from tests.incident_words import worded

APRIL = datetime(2013, 4, 22, tzinfo=UTC)
DEPLOYMENT = DeploymentDocument(
    name="flights-eu", number=4, model="flights", version=1, timezone="UTC", created_at=APRIL
)
PAGE = IncidentRecord(
    number=3,
    level="page",
    state="open",
    opened_at=APRIL + timedelta(days=1),
    window_start=APRIL,
    window_end=APRIL + timedelta(days=1),
    watch="surprise_brier",
    slice="origin=EWR",
    diagnoses=worded("the model is wrong", "Brier rose by .063 — more than harmless."),
)
OPENED = Notification(event="flights-eu/4/3/0", state="open", incident=PAGE, deployment=DEPLOYMENT)


@dataclass
class Receiver:
    """A server that answers with the given statuses in turn, the last one for ever."""

    statuses: list[int]
    url: str = ""
    retry_after: str | None = None
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    open_gate: threading.Event = field(default_factory=threading.Event)

    @property
    def documents(self) -> list[Any]:
        return [json.loads(body) for body in self.bodies]


class Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        receiver = self.receiver
        receiver.paths.append(self.path)
        receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
        receiver.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        receiver.open_gate.wait(30)
        status = receiver.statuses.pop(0) if len(receiver.statuses) > 1 else receiver.statuses[0]
        try:
            self.send_response(status)
            self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            if receiver.retry_after is not None:
                self.send_header("retry-after", receiver.retry_after)
            self.end_headers()
        except BrokenPipeError:  # the sender has lost its patience, as it should
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver, for as long as the context lasts."""
    state = Receiver(statuses=[200])
    state.open_gate.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"receiver": state}))
    state.url = f"http://127.0.0.1:{server.server_address[1]}/hook/secret?key=secret"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        state.open_gate.set()
        server.shutdown()
        thread.join()
        server.server_close()


def sender(waits: list[float] | None = None, *, timeout: float = 5.0) -> Sender:
    """Sends as ever, but notes its waits instead of waiting."""
    noted = [] if waits is None else waits
    return Sender(post=partial(post, timeout=timeout), sleep=noted.append, clock=lambda: APRIL + timedelta(days=2))
