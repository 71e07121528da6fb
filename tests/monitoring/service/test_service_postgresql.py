"""The service on a PostgreSQL server: two of them at once, and one whose server is away for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitoring.config import load_config
from monitoring.erasure.erase import ErasureRequest, Waiting, erase
from monitoring.runs.run import run_due_windows
from monitoring.store import Store
from tests.monitor_service import Served, served
from tests.monitoring.notifications.receivers import Receiver, receiving
from tests.postgresql_server import PostgresqlServer, started_postgresql
from tests.small_deployment import LATER, LIVE, bundle, days, deploy, send

__all__ = ["bundle", "days", "deploy", "send"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

Make = Callable[[str], Path]
Send = Callable[..., None]

NAMES = ("north", "south", "west")


@pytest.fixture
def server() -> Iterator[PostgresqlServer]:
    with started_postgresql() as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as state:
        yield state


@pytest.fixture
def monitors(server: PostgresqlServer, receiver: Receiver, deploy: Make, send: Send, days: Any) -> list[Path]:
    """Three deployments in one store: one is in order, one has lost an input, and one is wrong from the third day."""
    folders = []
    harms: tuple[dict[str, Any], ...] = ({}, {"without": "temp"}, {"broken_from": 2})
    for name, harm in zip(NAMES, harms, strict=True):
        folder = deploy(name)
        config = (folder / "monitor.toml").read_text().replace("sqlite:///pitfalls.db", server.url)
        config += f'[deployment]\nname = "{name}"\n[[notify]]\nroute = "webhook"\nwebhook = "{receiver.url}"\n'
        (folder / "monitor.toml").write_text(config)
        send(folder, days(days=4, **harm))
        folders.append(folder)
    return folders


def wait(done: Callable[[], bool], *services: Served) -> None:
    """Wait until something holds; fails after ten minutes, with what the services said."""
    until = time.monotonic() + 600
    while not done():
        if time.monotonic() > until:
            pytest.fail("".join(line for service in services for line in service.lines))
        time.sleep(0.2)


def judged(store: Store) -> list[tuple[int, ...]]:
    """The days of the windows of each deployment, in order."""
    return [tuple(window.start.day for window in store.windows.read(one.number)) for one in store.overview.summaries()]


def told(store: Store) -> bool:
    """Whether nobody is to be notified of anything any more."""
    return not any(store.outbox.pending(one.number) for one in store.overview.summaries())


def test_two_services_of_one_store_judge_each_window_once_and_send_each_event_once(
    server: PostgresqlServer, monitors: list[Path], receiver: Receiver, tmp_path: Path, send: Send, days: Any
) -> None:
    with ExitStack() as running:
        services = [running.enter_context(served(tmp_path)) for _ in range(2)]
        store = running.enter_context(Store.open(server.url))
        wait(lambda: judged(store) == [(1, 2, 3, 4)] * 3, *services)
        for folder in monitors:
            send(folder, days(days=1, start=LIVE.replace(day=5)))
            config = folder / "monitor.toml"
            config.write_text(config.read_text() + "\n")  # both services see it, and run at once
        wait(lambda: judged(store) == [(1, 2, 3, 4, 5)] * 3, *services)
        wait(lambda: told(store), *services)
        metrics = [service.get("metrics").text for service in services]
        assert [service.stop() for service in services] == [0, 0]
        lines = [line for service in services for line in service.lines]
        assert sum("Another run is judging it" in line for line in lines) > 0
        assert not any("Error" in line for line in lines)
        assert not any("pitfalls_failing_config{" in text for text in metrics)
        assert [one.error for each in store.overview.summaries() for one in store.runs.latest(each.number)] == [""] * 6
        assert store.leases.read() == ()
    events = [one["event"]["id"] for one in receiver.documents]
    assert len(events) == len(set(events))
    assert {one.partition("/")[0] for one in events} == {"south", "west"}


#: Services that are killed, one after the other, while days of traffic come in.
KILLED = 4


@pytest.mark.timeout(1800)
def test_three_services_of_one_store_that_are_killed_at_random_judge_each_window_once(
    server: PostgresqlServer, monitors: list[Path], receiver: Receiver, tmp_path: Path, send: Send, days: Any
) -> None:
    rng = np.random.default_rng(4)
    with ExitStack() as running:
        services = [running.enter_context(served(tmp_path)) for _ in range(3)]
        store = running.enter_context(Store.open(server.url))
        for day in range(5, 5 + KILLED):
            for folder in monitors:
                send(folder, days(days=1, start=LIVE.replace(day=day)))
                config = folder / "monitor.toml"
                config.write_text(config.read_text() + "\n")  # all services see it, and run at once
            before = sum(map(len, judged(store)))
            wait(lambda before=before: sum(map(len, judged(store))) > before, *services)  # type: ignore[misc]
            victim = services.pop(int(rng.integers(3)))
            victim.process.kill()  # perhaps in the midst of a window, with a lease
            victim.process.wait(20)
            services.append(running.enter_context(served(tmp_path)))
        every = tuple(range(1, 5 + KILLED))
        wait(lambda: judged(store) == [every] * 3, *services)
        wait(lambda: told(store), *services)
        assert [service.stop() for service in services] == [0, 0, 0]
        runs = [run for each in store.overview.summaries() for run in store.runs.latest(each.number)]
        assert sum(run.windows for run in runs if run.ended_at is not None) <= 3 * len(every)
        assert all(not run.error or "run" in run.error for run in runs), [run.error for run in runs]
    told_events = {one["event"]["id"] for one in receiver.documents}
    assert {event.partition("/")[0] for event in told_events} == {"south", "west"}


def test_a_store_that_is_away_for_a_minute_is_a_failure_that_heals_and_nothing_is_lost(
    server: PostgresqlServer, monitors: list[Path], receiver: Receiver, tmp_path: Path, send: Send, days: Any
) -> None:
    for folder in monitors:
        send(folder, days(days=11, start=LIVE.replace(day=5)))
    with served(tmp_path) as service:
        service.wait_for("2013-04-06")
        server.stop()
        try:
            for name in NAMES:
                service.wait_for(f"{name}/monitor.toml: Error: The store cannot be used.")
            failing = service.get("metrics").text
            assert all(f'pitfalls_failing_config{{config="{name}/monitor.toml"}} 1.0' in failing for name in NAMES)
            assert service.get("health/live").text == "ok\n"
            assert "The store cannot be used." in service.get("").text
            service.wait_for("The next run retries, in 120 s.")
        finally:
            server.start()
        with Store.open(server.url) as store:
            wait(lambda: judged(store) == [tuple(range(1, 16))] * 3, service)
            wait(lambda: "pitfalls_failing_config{" not in service.get("metrics").text, service)
            wait(lambda: told(store), service)
        assert service.stop() == 0
    assert [line for line in service.lines if "Traceback" in line] == [], "".join(service.lines)
    events = [one["event"]["id"] for one in receiver.documents]
    assert len(events) == len(set(events)) > 0


def test_one_persons_rows_are_erased_beside_runs_and_left_while_one_is_judging(
    server: PostgresqlServer, monitors: list[Path]
) -> None:
    config = load_config(monitors[2] / "monitor.toml")
    with Store.open(server.url) as store:
        number = run_due_windows(config, store, clock=lambda: LATER).deployment
        rows = [row.prediction_id for one in store.incidents.read(number) for row in one.detail.rows]
        assert rows
        asked = ErasureRequest(root=monitors[2] / "traffic", ids=tuple(rows), by="me", store_url=server.url)
        now = Waiting(seconds=0.0, clock=lambda: LATER, elapsed=time.monotonic, sleep=time.sleep, tell=lambda _: None)
        with store.leases.take(number, "a run", LATER, 60):
            left = erase(asked, now)[0]
        assert [(one.what, "is judging the windows" in one.why) for one in left.unreached] == [("store", True)]
        done = erase(asked, now)[0]
        assert (done.state, done.unreached) == ("complete", ())
        assert done.store is not None
        assert done.store["incident rows"] == len(rows)
        kept = [row.prediction_id for one in store.incidents.read(number) for row in one.detail.rows]
        assert not set(kept) & set(rows)
        assert [window.rows for window in store.windows.read(number)] == [60] * 4
