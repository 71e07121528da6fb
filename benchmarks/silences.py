"""Server, monitors and workers of a rollout killed or silenced one by one: what stays green, and for how long."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import yaml

from benchmarks.results import Cell, Result, Settings, Table

ROOT = Path(__file__).parents[1]

#: Seconds that Prometheus waits for a scrape, and that a silence may last here.
SCRAPE_TIMEOUT, PATIENCE = 10.0, 240.0

#: Seconds for which the page of a dead worker is waited for: it is dead after 900, and told by the monitor's next run.
DEAD_PATIENCE = 1100.0

CONFIG = """
[rollout]
server = "{server}"
[rollout.decide]
guards = []
[[notify]]
webhook = "{receiver}/notified"
"""


@dataclass
class Receiver:
    """Hears notifications, each with its time and path."""

    heard: list[tuple[float, str, str]] = field(default_factory=list)

    @contextmanager
    def listening(self) -> Iterator[str]:
        """Answer on a free port while the block runs."""
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def _take(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
                heard.append((time.monotonic(), self.path, body))
                self.send_response(200)
                self.end_headers()

            do_POST = do_GET = _take  # noqa: N815 - the library's names

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()

    def first(self, path: str, since: float, words: str = "") -> float | None:
        """Seconds from a moment on until something was heard."""
        times = [at - since for at, where, body in self.heard if at >= since and where == path and words in body]
        return min(times, default=None)


@dataclass
class Part:
    """A process of the scene, with the address of its metrics."""

    words: tuple[str, ...]
    folder: Path
    metrics: str = ""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until its metrics can be read."""
        environment = {**os.environ, "XDG_STATE_HOME": str(self.folder / "state")}
        environment["XDG_CACHE_HOME"] = str(self.folder / "cache")
        with (self.folder / f"{self.words[0]}.log").open("ab") as log:
            command = [sys.executable, "-m", "pitfalls_tf", *self.words]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=self.folder)
        until = time.monotonic() + PATIENCE
        while self.metrics and self.read() is None:
            assert time.monotonic() < until, (self.folder / f"{self.words[0]}.log").read_text()[-2000:]
            time.sleep(0.5)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()

    def read(self) -> str | None:
        """Its metrics; None where they are not there within the time that a scrape has."""
        try:
            with urlopen(self.metrics, timeout=SCRAPE_TIMEOUT) as answer:  # noqa: S310 - of this machine
                return str(answer.read().decode("utf-8"))
        except HTTPError as error:
            return error.reason
        except OSError:
            return None

    def value(self, name: str) -> float:
        """The sum of a metric's samples; 0 where it has none."""
        text = self.read() or ""
        return sum(float(found) for found in re.findall(rf"^{re.escape(name)}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE))


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Something that ends or hangs.

    Attributes:
        alert: The case of `tests.contracts.test_deploy_on_call.SILENCES` whose series it makes; empty: it mends itself.
        shows: Whether it shows in what Prometheus scrapes.
    """

    name: str
    green: str
    alert: str
    begin: Callable[[], object]
    end: Callable[[], object]
    shows: Callable[[], bool]


class Scene:
    """A server, the service of its monitor and the workers of its rollout; a promotion is watched."""

    def __init__(self, folder: Path, receiver: str) -> None:
        from tests.monitoring.rollout.two_bundles import two_bundles  # noqa: PLC0415 - its rows are those of tests

        self.folder, self.world = folder, folder / "monitors/flights"
        rest, ui = _free_port(), _free_port()
        server = f"http://127.0.0.1:{rest}"
        two_bundles(self.world, "")
        (self.world / "models/flights/2").rename(self.world / "models/flights/2.candidate")
        self.config = self.world / "monitor.toml"
        text = re.sub(r"^cron = .*$", 'cron = "* * * * *"', self.config.read_text("utf-8"), flags=re.MULTILINE)
        self.config.write_text(text + CONFIG.format(server=server, receiver=receiver), "utf-8")
        models, traffic = str(self.world / "models"), str(self.world / "traffic")
        serve = (
            "serve",
            "--models",
            models,
            "--traffic",
            traffic,
            "--rest-port",
            str(rest),
            "--grpc-port",
            str(_free_port()),
        )
        watch = ("monitor", "serve", "--configs", "monitors", "--port", str(ui))
        self.server = Part(serve, folder, f"{server}/monitoring/prometheus/metrics")
        self.monitor = Part(watch, folder, f"http://127.0.0.1:{ui}/metrics")
        self.workers = Part(("rollout", "work", "--configs", "monitors"), folder)
        self.predict = f"{server}/v1/models/flights:predict"

    def start(self) -> None:
        """Start all, promote the candidate, and wait until its watch has made a pass."""
        for part in (self.server, self.monitor):
            part.start()
        until = time.monotonic() + PATIENCE
        while not self.monitor.value("pitfalls_last_window_rows"):
            assert time.monotonic() < until, (self.folder / "monitor.log").read_text()[-2000:]
            time.sleep(1.0)
        self.workers.start()
        for words in (("start", "--begin", "--no-plan"), ("promote", "--force")):
            command = [sys.executable, "-m", "pitfalls_tf", "rollout", *words, "--config", str(self.config)]
            done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        self.wait_for_pass()

    def stop(self) -> None:
        """End what runs."""
        for part in (self.workers, self.monitor, self.server):
            if part.process is not None:
                with suppress(ProcessLookupError):
                    part.process.send_signal(signal.SIGCONT)
                    part.process.kill()
                part.process.wait()

    def passed_at(self) -> float:
        """When the worker of the promotion's watch made its last pass."""
        found = re.search(
            r'^pitfalls_rollout_last_pass\S*mode="watch"\S* (\S+)$', self.monitor.read() or "", re.MULTILINE
        )
        return 0.0 if found is None else float(found[1])

    def wait_for_pass(self) -> float:
        """Seconds until the worker makes another pass."""
        began, before = time.monotonic(), self.passed_at()
        while (self.passed_at() or before) <= before:
            assert time.monotonic() < began + PATIENCE, (self.folder / "rollout.log").read_text()[-2000:]
            time.sleep(1.0)
        return time.monotonic() - began

    def workers_below(self, words: str) -> list[int]:
        """Processes that run a command, below the keeper of workers."""
        found = subprocess.run(
            ["ps", "-eo", "pid=,args="],  # noqa: S607 - the system's own
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        lines = [line.split(None, 1) for line in found.splitlines()]
        return [
            int(number) for number, line in lines if words in line and (str(self.folder) in line or "scorer" in words)
        ]

    def refuse(self) -> None:
        """Ask as a client does whose names of inputs are wrong."""
        for _ in range(20):
            with suppress(HTTPError):
                urlopen(Request(self.predict, b'{"instances": [{"other": 1}]}')).close()  # noqa: S310 - of this machine

    def silences(self) -> Iterator[Silence]:
        """All but the worker's death, which takes a quarter of an hour to tell."""
        server, monitor = self.server, self.monitor
        for part, name, others in (
            (server, "server", "monitor, workers"),
            (monitor, "service of monitors", "server, workers"),
        ):
            case = "the server is killed" if part is server else "the monitors' service is killed"
            yield Silence(
                name=f"{name}: kill -9",
                green=others,
                alert=case,
                begin=lambda part=part: part.signal(signal.SIGKILL),  # type: ignore[misc]
                end=part.start,
                shows=lambda part=part: part.read() is None,  # type: ignore[misc]
            )
            yield Silence(
                name=f"{name}: hangs (SIGSTOP)",
                green=others,
                alert=case,
                begin=lambda part=part: part.signal(signal.SIGSTOP),  # type: ignore[misc]
                end=lambda part=part: part.signal(signal.SIGCONT),  # type: ignore[misc]
                shows=lambda part=part: part.read() is None,  # type: ignore[misc]
            )
        for name, path, case in (
            ("the config is gone", self.config, "a config is lost"),
            ("the traffic log is gone", self.world / "traffic", "a config's run fails"),
            ("the store is gone", self.world / "pitfalls.db", "a config's run fails"),
        ):
            aside = path.with_name(f"{path.name}.aside")
            metric = "pitfalls_missing_configs" if path == self.config else "pitfalls_failing_config"
            yield Silence(
                name=name,
                green="server, workers",
                alert=case,
                begin=lambda path=path, aside=aside: path.rename(aside),  # type: ignore[misc]
                end=lambda path=path, aside=aside: _put_back(aside, path),  # type: ignore[misc]
                shows=lambda metric=metric: monitor.value(metric) > 0,  # type: ignore[misc]
            )
        text = self.config.read_text("utf-8")
        yield Silence(
            name="the config is garbage",
            green="server, workers; judged as it was",
            alert="a config's run fails",
            begin=lambda: self.config.write_text("nonsense = [", "utf-8"),
            end=lambda: self.config.write_text(text, "utf-8"),
            shows=lambda: monitor.value("pitfalls_failing_config") > 0,
        )
        yield Silence(
            name="every request is refused",
            green="monitor, workers",
            alert="every request is refused",
            begin=self.refuse,
            end=lambda: None,
            shows=lambda: 'status="INVALID_ARGUMENT"' in (server.read() or ""),
        )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _put_back(aside: Path, path: Path) -> None:
    """Put a store or a folder back in the place of one that was begun meanwhile."""
    for begun in path.parent.glob(f"{path.name}*"):
        if begun != aside and begun.is_file():
            begun.unlink()
    aside.rename(path)


def alert_minutes(case: str) -> float:
    """Minutes from the last good sample until the shipped rule fires, by promtool, at samples each half minute."""
    from tests.contracts.test_deploy_on_call import SILENCES  # noqa: PLC0415 - it is tried there, too

    series, alert = SILENCES[case]
    expr = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'
    times = [half / 2 for half in range(31)]
    fires = [{"labels": "{}", "value": 1}]
    test = {
        "interval": "30s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": expr, "eval_time": f"{60 * at:.0f}s", "exp_samples": fires} for at in times],
    }
    with tempfile.TemporaryDirectory() as name:
        rules = ROOT / "deploy/prometheus/pitfalls.rules.yml"
        document = {"rule_files": [str(rules)], "evaluation_interval": "30s", "tests": [test]}
        (Path(name) / "test.yml").write_text(yaml.safe_dump(document), "utf-8")
        done = subprocess.run(
            ["promtool", "test", "rules", f"{name}/test.yml"],  # noqa: S607 - as above
            capture_output=True,
            text=True,
            check=False,
        )
    quiet = (done.stdout + done.stderr).count("exp:")
    assert quiet < len(times), done.stdout + done.stderr
    return times[quiet]


def measure(settings: Settings) -> Result:
    """Silence each part in turn, and undo it. Cost: half an hour, of which a worker's death is a quarter; two cores."""
    receiver = Receiver()
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        scene = Scene(Path(name), held.enter_context(receiver.listening()))
        held.callback(scene.stop)
        scene.start()
        rows = [_tried(silence) for silence in scene.silences()]
        mended = tuple(_mended(scene))
        if not settings.quick:
            rows.append(_dead_worker(scene, receiver))
    told = Table(
        title="What is silent, and when it is told",
        columns=("what", "stays green", "in /metrics, s", "alert", "minutes until it"),
        rows=tuple(rows),
        note="Seconds are real ones of this machine: until a scrape shows it. "
        "Minutes: the seconds in /metrics, and the time until "
        "the shipped rule fires, by promtool at scrapes and evaluations each half minute.",
    )
    itself = Table(title="What mends itself", columns=("what", "s until the next pass"), rows=mended)
    return Result(tables=(told, itself))


def _tried(silence: Silence) -> tuple[Cell, ...]:
    began = time.monotonic()
    silence.begin()
    while not silence.shows():
        assert time.monotonic() < began + PATIENCE, silence.name
        time.sleep(0.5)
    seconds = time.monotonic() - began
    silence.end()
    until = time.monotonic() + PATIENCE
    while silence.alert != "every request is refused" and silence.shows():
        assert time.monotonic() < until, f"{silence.name} does not end"
        time.sleep(0.5)
    _say(silence.name, seconds)
    return _row(silence.name, silence.green, seconds, silence.alert)


def _row(name: str, green: str, seconds: float, case: str) -> tuple[Cell, ...]:
    from tests.contracts.test_deploy_on_call import SILENCES  # noqa: PLC0415 - as above

    return name, green, round(seconds, 1), SILENCES[case][1], round(seconds / 60 + alert_minutes(case), 1)


def _heard_within(receiver: Receiver, path: str, since: float, seconds: float, words: str = "") -> float | None:
    until = time.monotonic() + seconds
    while (found := receiver.first(path, since, words)) is None and time.monotonic() < until:
        time.sleep(0.5)
    return found


def _mended(scene: Scene) -> Iterator[tuple[Cell, ...]]:
    """Kill the worker at the rollout, and the process in which the candidate answers."""
    for name, words in (("the worker at a rollout", "rollout start"), ("the process of a candidate", "scorer_child")):
        for number in scene.workers_below(words):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        seconds = scene.wait_for_pass()
        _say(name, seconds)
        yield f"{name}: kill -9", round(seconds, 1)


def _dead_worker(scene: Scene, receiver: Receiver) -> tuple[Cell, ...]:
    """Kill the keeper of workers, and wait for the page of the monitor's own run."""
    began = time.monotonic()
    scene.workers.signal(signal.SIGKILL)
    page = _heard_within(receiver, "/notified", began, DEAD_PATIENCE, "worker")
    assert page is not None, "nobody was notified of the dead worker"
    name = f"rollout work: kill -9 while a promotion is watched (the monitor's own page after {page / 60:.1f} min)"
    return _row(name, "server, monitor", 0.0, "the worker at a promotion is killed")


def _say(name: str, seconds: float) -> None:
    print(json.dumps({"silence": name, "seconds": round(seconds, 1)}), file=sys.stderr, flush=True)
