"""Eighty configs on SQLite and PostgreSQL under faults: every window judged once, every page told, no light green."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.results import Result, Settings, Table
from benchmarks.service_speed import DAY, DAYS, FIRST, rows_of
from monitoring.errors import PitfallsError
from monitoring.jobs.init import init_monitor
from monitoring.jobs.table_description import TableDescription
from monitoring.store.store import Store

CONFIGS, ROWS = 80, 150

#: Of so many configs one has wrong labels on the day whose receiver is away.
HARMED = 10

#: Seconds that a fault may take to show in metrics or readiness, and that all windows of a day may take afterwards.
PATIENCE = 420.0

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")

#: What a fault is to look like from outside: of readiness, or a metric that is above zero.
LIGHTS = {
    "kill -9": "no answer",
    "database frozen": "pitfalls_unreadable_configs",
    "database down": "pitfalls_unreadable_configs",
    "disk full": "pitfalls_failing_config",
    "folder away": "pitfalls_missing_configs",
    "receiver away": "pitfalls_undelivered_notifications",
    "clock a day ahead": "",
}


@dataclass
class Receiver:
    """Takes webhooks, or refuses them; counts events by their id."""

    away: bool = False
    events: Counter[str] = field(default_factory=Counter)
    address: str = ""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Answer on a free port while the block runs."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not outer.away:
                    outer.events[f"{self.path} {document.get('state')} {document['incident']['number']}"] += 1
                self.send_response(503 if outer.away else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.address = f"http://127.0.0.1:{server.server_port}"
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield
            server.shutdown()


@dataclass
class Fleet:
    """A service over many configs in a process of its own, on one kind of store."""

    folder: Path
    configs: int
    receiver: Receiver
    database: Any = None
    days: int = 0
    shown: dict[str, str] = field(default_factory=dict)
    url: str = ""
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the service, and wait for its address."""
        command = [sys.executable, "-m", "pitfalls_tf", "monitor", "serve", "--configs", str(self.folder / "monitors")]
        command += ["--port", "0", "--json", "--concurrency", "2"]
        environment = {**os.environ, "XDG_STATE_HOME": str(self.folder / "state")}
        environment |= {"XDG_CACHE_HOME": str(self.folder / "cache")}
        if FAKETIME.exists():
            if not (self.folder / "clock").exists():
                (self.folder / "clock").write_text("+0\n")
            environment |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(self.folder / "clock")}
            environment |= {"FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        log = (self.folder / "log").open("a")
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        assert self._process.stdout is not None
        text = ""
        while "url" not in text or "}" not in text:
            text += self._process.stdout.readline()
        match = re.search(r"http://[^\"]+", text)
        assert match is not None, text
        self.url = match[0].rstrip("/")

    def kill(self) -> None:
        """End the service as if its machine had lost its power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def light(self) -> str:
        """What the service says of itself: its metrics that are above zero, or that it does not answer."""
        try:
            with urlopen(f"{self.url}/metrics", timeout=10) as answer:  # noqa: S310 - of this machine
                text = answer.read().decode()
        except HTTPError:
            raise
        except OSError:
            return "no answer"
        lines = (line for line in text.splitlines() if line and not line.startswith("#"))
        return " ".join(sorted({line.split("{")[0].split()[0] for line in lines if float(line.rpartition(" ")[2]) > 0}))

    def release(self, *, wrong: bool = False) -> None:
        """Give every config the rows of its next day."""
        for number in range(self.configs):
            rows = rows_of(DAYS + self.days, 1, ROWS, seed=7 + 1_000 * self.days + number)
            if wrong and number % HARMED == 0:
                rows = rows.set_column(rows.column_names.index("y"), "y", pa.array(1 - np.asarray(rows["y"])))
            live = self.folder / "monitors" / f"{number:03d}" / "live"
            pq.write_table(rows, live / f".{self.days}.parquet")
            (live / f".{self.days}.parquet").rename(live / f"{self.days}.parquet")
        self.days += 1

    def stores(self) -> Iterator[str]:
        """The URLs of its stores."""
        if self.database is not None:
            yield self.database.url_by("psycopg")
        else:
            yield from (f"sqlite:///{place}/pitfalls.db" for place in sorted((self.folder / "monitors").iterdir()))

    def judged(self) -> Counter[tuple[str, datetime]]:
        """How often each window of each deployment is in a store."""
        counts: Counter[tuple[str, datetime]] = Counter()
        for url in self.stores():
            with suppress(PitfallsError), Store.open(url, make=False) as store:  # there is none before the first run
                for record in store.deployments.all():
                    assert record.number is not None
                    counts.update(
                        (record.called, window.start) for window in store.windows.read(record.number, scores=False)
                    )
        return counts

    def wait_for(self, what: str, done: Callable[[], bool]) -> bool:
        """Wait until something holds, for `PATIENCE` seconds."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if done():
                return True
            time.sleep(2.0)
        print(f"{self.folder.name}: {what}: not within {PATIENCE:.0f} s", file=sys.stderr)
        return False

    def all_judged(self) -> bool:
        """Wait until every window of every config is judged."""
        return self.wait_for(f"day {self.days}", lambda: len(self.judged()) == self.configs * self.days)

    def fault(self, name: str, begin: Callable[[], None], end: Callable[[], None], *, wrong: bool = False) -> None:
        """Let a fault begin, see that it shows, let it end, and wait until all is judged."""
        print(f"{self.folder.name}: {name}", file=sys.stderr)
        if name == "disk full":
            self.release()
        begin()
        if name not in ("disk full", "folder away"):
            self.release(wrong=wrong)
        light = LIGHTS[name]
        began = time.monotonic()
        is_shown = not light or self.wait_for(f"light of {name}", lambda: light in self.light())
        waited = time.monotonic() - began
        end()
        if name == "folder away":
            self.release()
        judged = self.all_judged()
        self.shown[name] = f"{light or 'nothing to show'}, {waited:.0f} s" if is_shown else "NOT SHOWN"
        self.shown[name] += "" if judged else "; windows left"
        print(f"{self.folder.name}: {name}: {self.shown[name]}", file=sys.stderr)


def measure(settings: Settings) -> Result:
    """Run both services at once. Cost: ten minutes of two cores, a gigabyte of disk; tmpfs takes the right to mount."""
    count = 3 if settings.quick else CONFIGS
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        from tests.postgresql_server import started_postgresql  # noqa: PLC0415 - needs a server's programs

        database = held.enter_context(started_postgresql())
        receivers = {kind: Receiver() for kind in ("sqlite", "postgresql")}
        for receiver in receivers.values():
            held.enter_context(receiver.listening())
        fleets = []
        for kind, receiver in receivers.items():
            folder = Path(name) / kind
            folder.mkdir()
            held.enter_context(_small_disk(folder))
            fleets.append(Fleet(folder, count, receiver, database if kind == "postgresql" else None))
            make_fleet(fleets[-1])
            held.callback(fleets[-1].kill)
        with ThreadPoolExecutor(len(fleets)) as pool:
            list(pool.map(run, fleets))
        rows = tuple(row for fleet in fleets for row in _rows(fleet))
    columns = ("store", "what", "found")
    return Result(tables=(Table(title=f"{count} configs under faults", columns=columns, rows=rows),))


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    """A disk of its own for a folder, so that it can be filled."""
    subprocess.run(["/usr/bin/mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["/usr/bin/umount", "-l", str(folder)], check=True)


def make_fleet(fleet: Fleet) -> None:
    """Write `monitors/NNN`: config and baseline, copies of one."""
    reference = fleet.folder / "reference.parquet"
    pq.write_table(rows_of(0, DAYS, ROWS, seed=1), reference)
    description = TableDescription(event_time="ts", scores=("p",), label="y", prediction_id="id", traffic="live")
    init_monitor(reference, description, out=fleet.folder / "one", clock=lambda: FIRST + (DAYS + 9) * DAY)
    config = fleet.folder / "one" / "monitor.toml"
    text = config.read_text().replace('cron = "15 * * * *"', 'cron = "* * * * *"')
    if fleet.database is not None:
        text = text.replace('url = "sqlite:///pitfalls.db"', f'url = "{fleet.database.url_by("psycopg")}"')
    for number in range(fleet.configs):
        place = fleet.folder / "monitors" / f"{number:03d}"
        shutil.copytree(fleet.folder / "one", place)
        (place / "live").mkdir()
        route = f'\n[[notify]]\nwebhook = "{fleet.receiver.address}/{number:03d}"\n'
        deployment = f'\n[deployment]\nname = "m{number:03d}"\n'
        (place / "monitor.toml").write_text(text + deployment + route)


def run(fleet: Fleet) -> None:
    """Go through the faults."""
    monitors, away, filler = fleet.folder / "monitors", fleet.folder / "away", fleet.folder / "filler"
    fleet.release()
    fleet.start()
    fleet.all_judged()
    fleet.fault("kill -9", fleet.kill, fleet.start)
    if fleet.database is not None:
        database = fleet.database
        fleet.fault("database frozen", lambda: database.signal(signal.SIGSTOP), lambda: database.signal(signal.SIGCONT))
        fleet.fault("database down", database.stop, database.start)
    if fleet.database is None:
        fleet.fault("disk full", lambda: _fill(filler), filler.unlink)
    fleet.fault("folder away", lambda: _move(monitors, away), lambda: _move(away, monitors))
    receiver = fleet.receiver
    fleet.fault("receiver away", lambda: _leave(receiver, away=True), lambda: _leave(receiver, away=False), wrong=True)
    expected_pages = len(range(0, fleet.configs, HARMED))
    fleet.wait_for("pages", lambda: len({event.split()[0] for event in fleet.receiver.events}) >= expected_pages)
    if FAKETIME.exists():
        fleet.fault("clock a day ahead", lambda: _step(fleet.folder / "clock"), lambda: None)
    fleet.kill()


def _fill(path: Path) -> None:
    """Leave no room on the disk but for the next day's rows."""
    with path.open("wb") as file, np.errstate(all="ignore"):
        free = os.statvfs(path.parent).f_bavail * os.statvfs(path.parent).f_frsize
        file.write(b"\0" * free)


def _move(path: Path, target: Path) -> None:
    path.rename(target)


def _leave(receiver: Receiver, *, away: bool) -> None:
    receiver.away = away


def _step(path: Path) -> None:
    path.write_text("+1d\n")


def _rows(fleet: Fleet) -> Iterator[tuple[str, str, str]]:
    kind = fleet.folder.name
    judged = fleet.judged()
    expected = fleet.configs * fleet.days
    twice = sum(count > 1 for count in judged.values())
    yield kind, "windows judged, of those due; more than once", f"{len(judged)} of {expected}; {twice}"
    pages: set[str] = set()
    for url in fleet.stores():
        with Store.open(url, make=False) as store:
            for record in store.deployments.all():
                assert record.number is not None
                tracked = store.incidents.read(record.number)
                pages.update(
                    f"/{record.called[1:]} open {incident.number}" for incident in tracked if incident.level == "page"
                )
    page_events = {event: count for event, count in fleet.receiver.events.items() if event in pages}
    more = sum(count > 1 for count in page_events.values())
    yield kind, "pages told, of those opened; more than once", f"{len(page_events)} of {len(pages)}; {more}"
    for name, text in fleet.shown.items():
        yield kind, f"{name}: shown by", text
