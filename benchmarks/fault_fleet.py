"""Two services over many configs, what is done to them, and what shows of it outside; for `service_faults`."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.service_speed import DAY, DAYS, FIRST, rows_of
from monitoring.config import load_config
from monitoring.deployment.deployment import same_evidence
from monitoring.deployment.places import find_baseline
from monitoring.fits.fit_folder import FOLDER, SUFFIX, fit_digest
from monitoring.onboarding.init import init_monitor
from monitoring.onboarding.table_description import described

if TYPE_CHECKING:
    from tests.postgresql_server import PostgresqlServer

#: Rows of a window.
ROWS = 150

#: Of so many configs one has wrong labels on the day on which the receiver is away.
HARMED = 10

#: Seconds that a fault may take to show, its light to go out again, and all windows of a day to be judged.
PATIENCE = 600.0

#: Seconds for which a fault lasts at least.
LASTS = 20.0

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")

NO_ANSWER = "no answer"

#: The metrics that are above zero while something is wrong with the service; not those of models.
ALARMS = frozenset(
    f"pitfalls_{name}"
    for name in ("unreadable_configs", "failing_config", "missing_configs", "undelivered_notifications")
)


@dataclass
class Receiver:
    """Takes webhooks, or refuses them; counts what it was told by config, state and incident."""

    away: bool = False
    told: Counter[str] = field(default_factory=Counter)
    address: str = ""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Answer on a free port while the block runs."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                state = document["event"].get("state", "open")  # a digest has none
                incidents = document.get("incidents") or [document["incident"]]
                if not outer.away:
                    outer.told.update(f"{self.path} {state} {incident['number']}" for incident in incidents)
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
class Service:
    """A service over a folder of configs, in a process of its own."""

    folder: Path
    name: str
    url: str = ""
    _process: subprocess.Popen[str] | None = None

    @property
    def log(self) -> Path:
        """What it has printed."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start it, and wait for its address."""
        command = [sys.executable, "-m", "pitfalls_tf", "monitor", "serve", "--configs", str(self.folder / "monitors")]
        command += ["--port", "0", "--json", "--concurrency", "2"]
        environment = {**os.environ, "XDG_STATE_HOME": str(self.folder / "state")}
        environment |= {"XDG_CACHE_HOME": str(self.folder / "cache")}
        if FAKETIME.exists():
            environment |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(self.folder / "clock")}
            environment |= {"FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        with self.log.open("a") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        assert self._process.stdout is not None
        text = ""
        while "url" not in text or "}" not in text:
            line = self._process.stdout.readline()
            assert line, self.log.read_text()[-2000:]
            text += line
        found = re.search(r"http://[^\"]+", text)
        assert found is not None, text
        self.url = found[0].rstrip("/")

    def kill(self) -> None:
        """End it as if its machine had lost its power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def lights(self) -> frozenset[str]:
        """The names of its metrics that are above zero; or that it does not answer."""
        try:
            with urlopen(f"{self.url}/metrics", timeout=60) as answer:  # noqa: S310 - of this machine
                text = answer.read().decode()
        except HTTPError as error:
            return frozenset({f"HTTP {error.code}"})
        except OSError:
            return frozenset({NO_ANSWER})
        lines = (line for line in text.splitlines() if line and not line.startswith("#"))
        return frozenset(line.split("{")[0].split()[0] for line in lines if float(line.rpartition(" ")[2]) > 0)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is done to a fleet, how that shows, and how it is undone.

    Attributes:
        lights: Of which any is to go on at each of `services`, or at one of several; none: nothing is to show.
        rows: Whether the rows of the next day come before it begins, while it lasts, or after it.
        wrong: Whether labels of that day are wrong.
        every: Whether each service is to show it, and not one of them.
    """

    name: str
    begin: Callable[[], object]
    end: Callable[[], object]
    lights: frozenset[str] = frozenset()
    services: tuple[Service, ...] = ()
    rows: str = "meanwhile"
    wrong: bool = False
    every: bool = True


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was seen of a fault: seconds until it showed, and until nothing did after its end; None: it never was so."""

    fault: str
    shown: float | None
    clear: float | None
    judged: bool


@dataclass
class Fleet:
    """Two services over many configs on one kind of store, and what was seen of them."""

    folder: Path
    configs: int
    receiver: Receiver
    database: PostgresqlServer | None = None
    days: int = 0
    seen: list[Outcome] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    services: tuple[Service, ...] = ()

    def __post_init__(self) -> None:
        self.services = (Service(self.folder, "first"), Service(self.folder, "second"))

    def say(self, text: str) -> None:
        """A line of progress."""
        print(f"{time.strftime('%H:%M:%S')} {self.folder.name}: {text}", file=sys.stderr, flush=True)

    def problem(self, text: str) -> None:
        """A line about what is not as it should be, which the result has as well."""
        self.problems.append(f"{self.folder.name}: {text}.")
        self.say(f"PROBLEM: {text}")

    def release(self, *, wrong: int | None = None) -> None:
        """Give every config the rows of its next day; one of `HARMED` has wrong labels where a number says which."""
        for number in range(self.configs):
            rows = rows_of(DAYS + self.days, 1, ROWS, seed=7 + 1_000 * self.days + number)
            if wrong is not None and number % HARMED == wrong % HARMED:
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
            yield from (f"sqlite:///{folder}/pitfalls.db" for folder in sorted((self.folder / "monitors").iterdir()))

    def count(self) -> int:
        """How many windows are judged; 0 where a store cannot be read."""
        query = "SELECT count(*) FROM window"
        if self.database is not None:
            url = self.database.url_by("psycopg").replace("+psycopg", "")
            with suppress(psycopg.Error), psycopg.connect(url, connect_timeout=5) as connection:
                row = connection.execute('SELECT count(*) FROM "window"').fetchone()
                return 0 if row is None else int(row[0])
            return 0
        judged = 0
        for url in self.stores():
            path = url.removeprefix("sqlite:///")
            with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
                judged += connection.execute(query).fetchone()[0]
        return judged

    def wait_for(self, done: Callable[[], bool], patience: float = PATIENCE) -> float | None:
        """Wait until something holds; gives the seconds, or None where it does not in time."""
        began = time.monotonic()
        while time.monotonic() - began < patience:
            if done():
                return time.monotonic() - began
            time.sleep(1.0)
        return None

    def all_judged(self) -> bool:
        """Wait until every window of every config is judged."""
        return self.wait_for(lambda: self.count() >= self.configs * self.days) is not None

    def is_lit(self, fault: Fault) -> bool:
        """Whether a fault shows where it has to."""
        shown = [bool(fault.lights & service.lights()) for service in fault.services]
        return all(shown) if fault.every else any(shown)

    def alarms(self) -> frozenset[str]:
        """What any service says is wrong with it."""
        return frozenset().union(*(service.lights() & (ALARMS | {NO_ANSWER}) for service in self.services))

    def go_through(self, fault: Fault, number: int) -> None:
        """Let a fault begin, see that it shows, let it end, and wait until all is judged and nothing shows any more."""
        self.say(fault.name)
        if fault.lights and self.is_lit(fault):
            self.problem(f"{fault.name}: {', '.join(sorted(fault.lights))} was on before")
        if fault.rows == "before":
            self.release()
        began = time.monotonic()
        fault.begin()
        if fault.rows == "meanwhile":
            self.release(wrong=number if fault.wrong else None)
        shown = self.wait_for(lambda: self.is_lit(fault)) if fault.lights else None
        if fault.lights and shown is None:
            self.problem(f"{fault.name}: not shown within {PATIENCE:.0f} s")
        time.sleep(max(0.0, LASTS - (time.monotonic() - began)))
        fault.end()
        ended = time.monotonic()
        if fault.rows == "after":
            self.release()
        judged = self.all_judged()
        if not judged:
            self.problem(f"{fault.name}: {self.count()} of {self.configs * self.days} windows judged")
        clear = self.wait_for(lambda: not self.alarms())
        if clear is None:
            self.problem(f"{fault.name}: {', '.join(sorted(self.alarms()))} is on {PATIENCE:.0f} s after its end")
        clear = None if clear is None else time.monotonic() - ended
        self.seen.append(Outcome(fault=fault.name, shown=shown, clear=clear, judged=judged))
        self.say(f"{fault.name}: shown after {shown}, clear after {clear}, judged: {judged}")


def make_fleet(fleet: Fleet) -> None:
    """Write `monitors/NNN`: config and baseline, copies of one."""
    reference = fleet.folder / "reference.parquet"
    pq.write_table(rows_of(0, DAYS, ROWS, seed=1), reference)
    own = described(event_time="ts", scores=("p",), label="y", prediction_id="id", traffic="live")
    init_monitor(reference, own, out=fleet.folder / "one", clock=lambda: FIRST + (DAYS + 9) * DAY)
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
        _keep_fit(place / "monitor.toml", fleet.folder / "cache")


def _keep_fit(path: Path, cache: Path) -> None:
    """Keep the only fit that `init` made for this config too, which has another name and the same baseline."""
    config = load_config(path)
    [made] = (path.parent / FOLDER).glob(f"*{SUFFIX}")
    digest = fit_digest(config, same_evidence(config), find_baseline(config).baseline)
    is_beside = config.store.url.startswith("sqlite")
    place = made.parent if is_beside else cache / "pitfalls" / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{digest}{SUFFIX}").write_bytes(made.read_bytes())
