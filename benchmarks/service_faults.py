"""Eighty configs on SQLite and PostgreSQL under faults: every window judged once, every page told, no light green."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.fault_fleet import FAKETIME, NO_ANSWER, ROWS, Fault, Fleet, Receiver, Service, make_fleet
from benchmarks.results import Cell, Result, Settings, Table
from monitoring.store.store import Store

if TYPE_CHECKING:
    from tests.postgresql_server import PostgresqlServer


def measure(settings: Settings) -> Result:
    """Run two services on each kind of store, at once, for `--minutes`, and until the faults have come in turn once.

    The services' logs are kept in `OUT`. Cost: two cores and three gigabytes of memory, of which files are; takes root,
    who mounts disks that can be filled.
    """
    count = 3 if settings.quick else settings.configs
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        from tests.postgresql_server import started_postgresql  # noqa: PLC0415 - needs a server's programs

        fleets = []
        for kind in ("sqlite", "postgresql"):
            folder = Path(name) / kind
            folder.mkdir()
            held.enter_context(_small_disk(folder))
            database = None
            if kind == "postgresql":
                disk = Path(name) / "database"
                disk.mkdir()
                held.enter_context(_small_disk(disk))
                disk.chmod(0o755)
                Path(name).chmod(0o755)
                database = held.enter_context(started_postgresql(disk))
            receiver = Receiver()
            held.enter_context(receiver.listening())
            fleets.append(Fleet(folder, count, receiver, database))
            make_fleet(fleets[-1])
            for service in fleets[-1].services:
                held.callback(service.kill)
        began = time.monotonic()
        with ThreadPoolExecutor(len(fleets)) as pool:
            list(pool.map(lambda fleet: run(fleet, until=began + 60.0 * settings.minutes), fleets))
        totals = tuple(row for fleet in fleets for row in _totals(fleet))
        faults = tuple(row for fleet in fleets for row in _faults(fleet))
        problems = tuple(problem for fleet in fleets for problem in fleet.problems)
        settings.out.mkdir(parents=True, exist_ok=True)
        for fleet in fleets:
            for service in fleet.services:
                shutil.copy(service.log, settings.out / f"service_faults_{fleet.folder.name}_{service.name}.log")
    minutes = (time.monotonic() - began) / 60.0
    return Result(
        tables=(
            Table(
                title=f"{count} configs for {minutes:.0f} minutes",
                columns=("store", "what", "count"),
                rows=totals,
                note=f"Two services over the same configs, a window of {ROWS} rows a day, looked for every minute.",
            ),
            Table(
                title="Faults, the light that each puts on, and until it is out again",
                columns=("store", "fault", "times", "shown after, s", "out after its end, s", "all windows judged"),
                rows=faults,
                note="The longest of all times. A light is a metric of the service; a dash: nothing is to show.",
            ),
        ),
        remarks=problems or ("No window was left or judged twice, and no light was missing or stayed on.",),
    )


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    """A disk of its own for a folder, so that it can be filled."""
    subprocess.run(["/usr/bin/mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["/usr/bin/umount", "-l", str(folder)], check=True)


def run(fleet: Fleet, until: float) -> None:
    """Go through the faults once, and again in turn until a time."""
    (fleet.folder / "clock").write_text("+0\n")
    fleet.release()
    for service in fleet.services:
        service.start()
    if not fleet.all_judged():
        fleet.problem("the first day was not judged")
    turn = 0
    while turn == 0 or time.monotonic() < until:
        for fault in _turn(fleet):
            if turn == 0 or time.monotonic() < until:
                fleet.go_through(fault, turn)
        turn += 1
    for service in fleet.services:
        service.kill()


def _turn(fleet: Fleet) -> Iterator[Fault]:
    """The faults of one turn."""
    monitors, clock, database = fleet.folder / "monitors", fleet.folder / "clock", fleet.database
    away, receiver, both = fleet.folder / "away", fleet.receiver, fleet.services
    for service in both:
        yield Fault(
            name=f"kill -9 of the {service.name} service",
            begin=partial(_kill_at_work, fleet, service),
            end=service.start,
            lights=frozenset({NO_ANSWER}),
            services=(service,),
            rows="before",
        )
    if database is not None:
        lights = frozenset({"pitfalls_unreadable_configs"})
        yield Fault(
            name="database frozen",
            begin=lambda: database.signal(signal.SIGSTOP),
            end=lambda: database.signal(signal.SIGCONT),
            lights=lights,
            services=both,
        )
        yield Fault(name="database down", begin=database.stop, end=database.start, lights=lights, services=both)
    filler = (fleet.folder if database is None else database.folder.parent) / "filler"
    yield Fault(
        name="disk of the store full",
        begin=lambda: _fill(filler),
        end=lambda: _make_room(filler, database),
        lights=frozenset({"pitfalls_failing_config"}),
        services=both,
        rows="before",
        every=False,
    )
    yield Fault(
        name="folder of configs away",
        begin=lambda: monitors.rename(away),
        end=lambda: away.rename(monitors),
        lights=frozenset({"pitfalls_missing_configs"}),
        services=both,
        rows="after",
    )
    yield Fault(
        name="receiver away",
        begin=lambda: setattr(receiver, "away", True),
        end=lambda: setattr(receiver, "away", False),
        lights=frozenset({"pitfalls_undelivered_notifications"}),
        services=both,
        wrong=True,
    )
    if FAKETIME.exists():
        yield Fault(name="clock a day ahead", begin=lambda: clock.write_text("+1d\n"), end=lambda: None)
        yield Fault(name="clock back", begin=lambda: clock.write_text("+0\n"), end=lambda: None)


def _kill_at_work(fleet: Fleet, service: Service) -> None:
    """End a service while windows are being judged, and let the other one judge the rest."""
    before = fleet.configs * (fleet.days - 1)
    fleet.wait_for(lambda: fleet.count() > before)
    service.kill()
    if not fleet.all_judged():
        fleet.problem(f"the other service left windows of the {service.name} one")


def _fill(path: Path) -> None:
    """Leave no room on the disk."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while file.write(b"\0" * size):
                    pass


def _make_room(path: Path, database: PostgresqlServer | None) -> None:
    """Let the disk have room again, and start a database that has given up."""
    path.unlink()
    if database is not None and not database.is_running():
        database.start()


def _totals(fleet: Fleet) -> Iterator[tuple[Cell, ...]]:
    kind, judged, opened = fleet.folder.name, Counter[tuple[str, datetime]](), set[str]()
    undelivered = 0
    for url in fleet.stores():
        with Store.open(url, make=False) as store:
            for record in store.deployments.all():
                assert record.number is not None
                windows = store.windows.read(record.number, scores=False)
                judged.update((record.called, window.start) for window in windows)
                incidents = store.incidents.read(record.number)
                name = record.called.removeprefix("m")
                opened.update(f"/{name} open {incident.number}" for incident in incidents if incident.level == "page")
                undelivered += len(store.outbox.pending(record.number))
    told = {event: count for event, count in fleet.receiver.told.items() if event in opened}
    log = "".join(service.log.read_text() for service in fleet.services)
    yield kind, "windows due", fleet.configs * fleet.days
    yield kind, "windows judged", len(judged)
    yield kind, "windows judged twice", sum(count > 1 for count in judged.values())
    yield kind, "pages opened", len(opened)
    yield kind, "pages told", len(told)
    yield kind, "pages told twice", sum(count > 1 for count in told.values())
    yield kind, "notifications that wait at the end", undelivered
    yield kind, "tracebacks in the logs", log.count("Traceback")


def _faults(fleet: Fleet) -> Iterator[tuple[Cell, ...]]:
    for name in dict.fromkeys(outcome.fault for outcome in fleet.seen):
        times = [outcome for outcome in fleet.seen if outcome.fault == name]
        shown = [outcome.shown for outcome in times if outcome.shown is not None]
        clear = [outcome.clear for outcome in times if outcome.clear is not None]
        yield (
            fleet.folder.name,
            name,
            len(times),
            round(max(shown)) if shown else None,
            round(max(clear)) if clear else None,
            "yes" if all(outcome.judged for outcome in times) else "no",
        )
