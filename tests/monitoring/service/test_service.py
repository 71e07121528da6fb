"""The scheduler, with runs that are simple functions; `tests/pitfalls_tf/cli/monitor/test_serve.py` has real ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.config import MonitorConfig
from monitoring.config.files import ConfigFile
from monitoring.errors import AnotherRun, CannotRun
from monitoring.service import service as scheduling
from monitoring.service.config_watch import ConfigWatch
from monitoring.service.service import MonitorService
from monitoring.service.workers import Workers

CONFIG = '[model]\nbundle = "models/{name}"\n[traffic]\npath = "traffic"\n[schedule]\ncron = "0 0 29 2 *"\n'

OTHER = CONFIG.replace('"traffic"', '"other"')

SECONDS = 20.0


@dataclass
class Service:
    """A service over a folder, and what it did."""

    folder: Path
    lines: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    something: threading.Condition = field(default_factory=threading.Condition)
    ahead: timedelta = timedelta()
    on_run: Callable[[str, Callable[[], bool]], None] = lambda _name, _stop: None
    again: Callable[[], datetime | None] = lambda: None

    def write(self, name: str, text: str = CONFIG) -> None:
        """Put a config into the folder, whole."""
        (self.folder / "aside").write_text(text.format(name=name))
        (self.folder / "aside").replace(self.folder / f"{name}.toml")

    def wait(self, done: Callable[[], bool]) -> None:
        """Wait until something holds; fails after a while."""
        until = time.monotonic() + SECONDS
        with self.something:
            while not done():
                assert time.monotonic() < until, (self.lines, self.runs)
                self.something.wait(0.02)

    passes: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def wait_for_line(self, text: str) -> None:
        """Wait for a line with a text."""
        self.wait(lambda: any(text in line for line in self.lines))

    def run(self, file: ConfigFile, config: MonitorConfig, stop: Callable[[], bool]) -> datetime | None:
        """One run, recorded."""
        with self.something:
            self.runs.append(config.name)
            self.something.notify_all()
        self.on_run(config.name, stop)
        return self.again()

    def report(self, name: str, text: str, _level: str) -> None:
        """A line, recorded."""
        with self.something:
            self.lines.append(f"{name}: {text}")
            self.something.notify_all()

    @contextmanager
    def started(self, concurrency: int = 2, paths: Callable[[], list[Path]] | None = None) -> Iterator[MonitorService]:
        """The service at work, and stopped at the end."""
        service = MonitorService(
            ConfigWatch(paths or (lambda: sorted(self.folder.glob("*.toml")))),
            self.run,
            workers=Workers(concurrency),
            clock=lambda: datetime.now(UTC) + self.ahead,
            report=self.report,
        )
        stop = threading.Event()
        thread = threading.Thread(target=service.run, args=[stop, self.passes.release])
        thread.start()
        try:
            yield service
        finally:
            stop.set()
            thread.join(SECONDS)
        assert not thread.is_alive()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(scheduling, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(scheduling, "RETRY_SECONDS", 0.05)
    return Service(tmp_path)


def problems(service: MonitorService) -> dict[str, str]:
    return {one.name: one.problem for one in service.files}


def test_every_config_runs_at_once_and_those_that_are_added_or_change_again(service: Service) -> None:
    service.write("a")
    with service.started() as running:
        service.wait(lambda: service.runs == ["a"])
        service.write("b")
        service.wait(lambda: service.runs == ["a", "b"])
        before = running.files
        service.write("a", OTHER)
        service.wait(lambda: service.runs == ["a", "b", "a"])
        service.wait(lambda: running.files is not before)
        assert problems(running) == {"a.toml": "", "b.toml": ""}
    assert "b.toml: Scheduled: now, and at '0 0 29 2 *' (UTC)." in service.lines


def test_a_wrong_config_is_named_and_runs_as_it_was_and_a_removed_one_does_not(service: Service) -> None:
    service.write("a")
    with service.started() as running:
        service.wait(lambda: service.runs == ["a"])
        service.write("a", "bundle = ")
        service.write("new", "[model]\nbundle = 3\n")
        service.wait_for_line("a.toml: The config is wrong, and is read again once it changes. It runs as it was")
        service.wait_for_line("new.toml: The config is wrong, and is read again once it changes. ")
        service.wait(lambda: "a.toml" in problems(running) and "line 1" in problems(running)["a.toml"])
        assert [one.config is None for one in running.files] == [False, True]
        service.write("a")
        service.wait(lambda: service.runs == ["a", "a"])
        (service.folder / "new.toml").unlink()
        service.wait_for_line("new.toml: Missing")
        service.wait(lambda: "monitor remove" in problems(running)["new.toml"])


@pytest.mark.parametrize("error", [CannotRun("The store is away.", got="x", expected="y", fix="z"), KeyError("key")])
def test_a_run_that_fails_is_named_and_repeated_and_stops_no_other(service: Service, error: Exception) -> None:
    def fail(name: str, _stop: Callable[[], bool]) -> None:
        if name == "bad" and service.runs.count("bad") < 3:
            raise error

    service.on_run = fail
    service.write("bad")
    service.write("good")
    with service.started() as running:
        service.wait(lambda: service.runs.count("bad") == 3)
        service.wait(lambda: problems(running) == {"bad.toml": "", "good.toml": ""})
    assert service.runs.count("good") == 1
    failures = [line for line in service.lines if "Error: " in line]
    assert len(failures) == 2
    assert all(str(error) in line and line.startswith("bad.toml") for line in failures)
    assert ("a defect of pitfalls" in failures[0]) == isinstance(error, KeyError)


def test_the_failure_of_a_run_is_shown_with_its_config(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "RETRY_SECONDS", 60.0)

    def fail(_name: str, _stop: Callable[[], bool]) -> None:
        raise CannotRun("The store is away.", got="x", expected="y", fix="z")

    service.on_run = fail
    service.write("a")
    with service.started() as running:
        service.wait_for_line("The next run retries, in 60 s.")
        service.wait(lambda: problems(running)["a.toml"].startswith("The last run failed. The store is away."))


def test_what_another_service_is_judging_is_looked_at_again_and_is_no_failure(service: Service) -> None:
    def refuse(_name: str, _stop: Callable[[], bool]) -> None:
        if len(service.runs) < 3:
            raise AnotherRun("Another run is judging.", got="x", expected="y", fix="z")

    service.on_run = refuse
    service.write("a")
    with service.started() as running:
        service.wait(lambda: len(service.runs) == 3)
        assert problems(running) == {"a.toml": ""}
    assert sum("Another run is judging it: looked at again in" in line for line in service.lines) == 2
    assert not any("Error" in line for line in service.lines)


def test_one_run_of_a_config_at_a_time_and_a_change_meanwhile_is_made_up_for(service: Service) -> None:
    release, at_once, most = threading.Semaphore(0), [0], [0]

    def hold(_name: str, _stop: Callable[[], bool]) -> None:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        assert release.acquire(timeout=SECONDS)
        at_once[0] -= 1

    service.on_run = hold
    service.write("a")
    with service.started():
        service.wait(lambda: service.runs == ["a"])
        service.write("a", OTHER)
        service.wait(lambda: sum("Scheduled" in line for line in service.lines) == 2)
        release.release()
        service.wait(lambda: service.runs == ["a", "a"])
        release.release(9)
    assert most == [1]


def test_no_more_runs_at_once_than_were_asked_for_and_all_end_when_it_stops(service: Service) -> None:
    def until_stopped(_name: str, stop: Callable[[], bool]) -> None:
        pause = threading.Event()
        while not stop():
            pause.wait(0.01)

    service.on_run = until_stopped
    for name in "abcd":
        service.write(name)
    with service.started(concurrency=2):
        service.wait(lambda: len(service.runs) == 2)
        (service.folder / "a.toml").unlink()
        service.wait(lambda: service.runs == ["a", "b", "c"])
    assert service.runs == ["a", "b", "c"]


def test_a_clock_that_is_set_runs_everything_again(service: Service) -> None:
    service.write("a")
    with service.started():
        service.wait(lambda: service.runs == ["a"])
        service.ahead = timedelta(days=-400)
        service.wait(lambda: len(service.runs) == 2)


def test_a_folder_that_cannot_be_looked_at_ends_nothing_and_loses_no_config(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.write("a")
    broken = threading.Event()

    def paths() -> list[Path]:
        if broken.is_set():
            raise OSError(24, "Too many open files")
        return sorted(service.folder.glob("*.toml"))

    with service.started(paths=paths) as running:
        service.wait(lambda: service.runs == ["a"])
        broken.set()
        service.wait_for_line("configs: The configs cannot be looked at: [Errno 24] Too many open files.")
        broken.clear()
        service.write("b")
        service.wait(lambda: service.runs == ["a", "b"])
        assert not any(one.is_missing for one in running.files)


def test_a_config_that_vanishes_is_kept_and_is_run_again_once_it_is_back(service: Service) -> None:
    service.write("a")
    with service.started() as running:
        service.wait(lambda: service.runs == ["a"])
        (service.folder / "a.toml").rename(service.folder / "away")
        service.wait(lambda: [one.is_missing for one in running.files] == [True])
        assert running.files[0].config is not None, "its deployment is shown on"
        (service.folder / "away").rename(service.folder / "a.toml")
        service.wait(lambda: service.runs == ["a", "a"])
        service.wait(lambda: [one.is_missing for one in running.files] == [False])


def test_a_receiver_that_was_not_reached_is_tried_before_the_next_time_of_the_schedule(service: Service) -> None:
    waits = [datetime.now(UTC) + timedelta(seconds=0.1), None]
    service.again = lambda: waits.pop(0)
    service.write("a")
    with service.started():
        service.wait(lambda: service.runs == ["a", "a"])


def test_a_service_that_hangs_at_its_folder_is_no_longer_alive(service: Service) -> None:
    service.write("a")
    hangs, hung, released = threading.Event(), threading.Event(), threading.Event()

    def paths() -> list[Path]:
        if hangs.is_set():
            hung.set()
            released.wait(SECONDS)
        return sorted(service.folder.glob("*.toml"))

    with service.started(paths=paths):
        assert service.passes.acquire(timeout=SECONDS)
        hangs.set()
        assert hung.wait(SECONDS)
        while service.passes.acquire(blocking=False):
            pass
        assert not service.passes.acquire(timeout=0.5)  # many times as long as a pass
        released.set()
        assert service.passes.acquire(timeout=SECONDS)
