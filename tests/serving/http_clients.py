"""Servers in processes of their own, and clients that send requests until a server is gone."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from monitoring.traffic.log.log import TrafficLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    Pitfalls = Callable[..., Result]


BODY = b'{"instances": [1.0, 2.0]}'


#: What labels are sent with.
TOKEN = "a-token-of-the-tests"


PATH = "/v1/models/half_plus_two:predict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """``pitfalls serve``, ready."""

    popen: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])


@contextmanager
def serving(models: Path, traffic: Path, port: int = 0, *more: str) -> Iterator[Process]:
    """Run the verb in a process of its own; killed at the end if it still runs."""
    token = traffic.with_suffix(".token")
    command = [sys.executable, "-m", "pitfalls_tf", "serve", "--models", str(models), "--traffic", str(traffic)]
    flags = ["--rest-port", str(port), "--token-file", str(token), "--any-event-time", "--json", *more]
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    with subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as popen:
        # Its words must go somewhere, or the pipe fills up and it stops.
        said: list[str] = []
        assert popen.stderr is not None
        assert popen.stdout is not None
        listener = threading.Thread(target=said.extend, args=(popen.stderr,))
        listener.start()
        try:
            document = ""
            while not document.endswith("}\n"):
                line = popen.stdout.readline()
                assert line, "".join(said)
                document += line
                with suppress(json.JSONDecodeError):
                    json.loads(document)
                    break
            yield Process(popen=popen, url=json.loads(document)["url"])
        finally:
            popen.kill()
            listener.join()


@dataclass(slots=True)
class Client:
    """Sends requests on one connection until the server is gone; remembers which were answered."""

    name: str
    port: int
    on_answer: Callable[[], None]
    answered: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    limit: int | None = None

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        number = 0
        with suppress(ConnectionError, http.client.HTTPException):
            while self.limit is None or number < self.limit:
                request_id = f"{self.name}-{number}"
                number += 1
                connection.request("POST", PATH, body=BODY, headers={"X-Request-Id": request_id})
                answer = connection.getresponse()
                answer.read()
                self.statuses.add(answer.status)
                if answer.status == 200:
                    self.answered.append(request_id)
                self.on_answer()
        connection.close()


def drive(process: Process, *, clients: int, until: int, then: Callable[[], None]) -> list[Client]:
    """Several clients at once; after ``until`` answers ``then`` is called, and they go on until the server is gone."""
    enough = threading.Event()
    left = iter(range(until, -1, -1))
    counting = threading.Lock()

    def count() -> None:
        with counting:
            if next(left, None) == 0:
                enough.set()

    fleet = [Client(f"{process.popen.pid}-{index}", process.port, count) for index in range(clients)]
    threads = [threading.Thread(target=client.run) for client in fleet]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    then()
    for thread in threads:
        thread.join()
    return fleet


def drive_for(process: Process, *, clients: int, answers: int) -> list[Client]:
    """Several clients at once, each until it has had so many answers."""
    fleet = [
        Client(f"{process.popen.pid}-first-{index}", process.port, lambda: None, limit=answers)
        for index in range(clients)
    ]
    threads = [threading.Thread(target=client.run) for client in fleet]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return fleet


def workers_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def get(port: int, path: str) -> str:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()


def logged_ids(traffic: Path) -> list[str]:
    ids: list[str] = TrafficLog(traffic).read(model="half_plus_two").column("prediction_id").to_pylist()
    return ids


def prediction_ids(fleet: list[Client]) -> list[str]:
    return [f"{request_id}:{row}" for client in fleet for request_id in client.answered for row in (0, 1)]


def is_listening(port: int) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False
