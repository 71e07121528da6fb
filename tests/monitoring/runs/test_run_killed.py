"""Runs, notifications and migrations that are killed at random moments, and go on as if nothing had happened.

A process that has loaded everything forks one for each trial and kills it, so that a trial costs no start.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import RouteSection, load_config
from monitoring.deployment.deployment import Deployment
from monitoring.deployment.deployment import deploy as fit
from monitoring.notifications.digest import Message
from monitoring.notifications.outbox import send_outbox
from monitoring.notifications.routes.sending import Delivery
from monitoring.runs.run import ExternalServices, run_due_windows
from monitoring.store import Store
from tests.monitoring.store.migrations.earlier_stores import check_outbox, earlier_store
from tests.small_deployment import LIVE, bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

DAYS = 24
NOW = LIVE + timedelta(days=DAYS, hours=7)
#: Longer than a lease, and 110 of it are shorter than the time to the next window.
STEP = timedelta(minutes=3)
ROUTE = '[[notify]]\nroute = "command"\ncommand = ["true"]\nlevel = "notice"\nstates = ["open", "worse", "closed"]\n'

#: Trials of each kind.
FEW, ALL = (3, 2, 2), (110, 50, 40)


def noted(told: Path, message: Message, routes: Sequence[RouteSection]) -> Sequence[Delivery]:
    """Notify a file, slowly, so that some are killed meanwhile."""
    with told.open("a", encoding="utf-8") as file:
        file.write(f"{message.event}\n")
    time.sleep(0.005)
    return [Delivery(shown="", receiver=route.receiver, ok=True, detail="") for route in routes]


def contents(path: Path) -> dict[str, list[Any]]:
    """What a store holds, but for attempts, runs, leases and times of the clock."""
    tables = {
        "window": "*",
        "score": "*",
        "level_state": "*",
        "incident": "number, level, state, opened_at, closed_at, watch, slice, diagnoses, recovery, detail, history",
    }
    with closing(sqlite3.connect(path)) as connection:
        return {
            name: sorted(map(repr, connection.execute(f"SELECT {columns} FROM {name}")))  # noqa: S608 - as above
            for name, columns in tables.items()
        }


def difference(found: list[Any], right: list[Any]) -> tuple[Any, Any] | None:
    """The first rows in which two tables differ; None if they are equal."""
    pairs = zip_longest(found, right)
    return next((pair for pair in pairs if pair[0] != pair[1]), None)


def killed(work: Callable[[], object], seconds: float) -> bool:
    """Do something in a process of its own, and kill it after so many seconds; says whether it had not ended."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def judge_and_kill(folder: Path, trials: int, ready: Deployment) -> None:
    """Judge a deployment in runs that are killed until so many were."""
    config = load_config(folder / "monitor.toml")
    store, told = folder / "pitfalls.db", folder / "told"
    now = [NOW]

    def run(told: Path) -> int:
        services = ExternalServices(notify=partial(noted, told), deploy=lambda _config, _embedder: ready)
        with Store.open(config.store.url) as opened:
            return run_due_windows(config, opened, clock=lambda: now[0], services=services).judged

    began = time.monotonic()
    run(told)
    whole = time.monotonic() - began
    right, events = contents(store), Counter(told.read_text("utf-8").split())
    rng, kills = random.Random(7), 0  # noqa: S311 - not for secrets
    while kills < trials:
        for path in folder.glob("pitfalls.db*"):
            path.unlink()
        told.write_text("", "utf-8")
        interrupted = 0
        while kills < trials and killed(partial(run, told), rng.uniform(0.0, whole / 3)):
            kills, interrupted, now[0] = kills + 1, interrupted + 1, now[0] + STEP
        now[0] += STEP
        run(told)
        found = contents(store)
        different = {name: difference(found[name], right[name]) for name in right if found[name] != right[name]}
        assert not different, different
        again = Counter(told.read_text("utf-8").split())
        assert set(again) == set(events)
        assert again.total() <= events.total() + interrupted
    assert (kills, len(events) > 2) == (trials, True)


def notify_and_kill(folder: Path, trials: int, ready: Deployment) -> None:
    """Send an outbox that is killed until so many were: each event is sent, and again at most once for each kill."""
    config = load_config(folder / "monitor.toml")
    nobody = ExternalServices(deploy=lambda _config, _embedder: ready)
    with_routes = config.model_copy(update={"notify": ()})
    with Store.open(config.store.url) as store:
        run_due_windows(with_routes, store, clock=lambda: NOW, services=nobody)
    with closing(sqlite3.connect(folder / "pitfalls.db")) as connection:
        with connection:
            connection.execute("UPDATE notification SET completed_at = NULL")
        with closing(sqlite3.connect(folder / "pending.db")) as copy:
            connection.backup(copy)
    with Store.open(config.store.url) as store:
        events = {one.event for one in store.outbox.pending(1)}
    told, now = folder / "told", [NOW]

    def outbox() -> None:
        with Store.open(config.store.url) as store:
            send_outbox(config, store, 1, partial(noted, told), lambda: now[0])

    rng, kills = random.Random(8), 0  # noqa: S311 - not for secrets
    while kills < trials:
        for path in folder.glob("pitfalls.db*"):
            path.unlink()
        shutil.copy(folder / "pending.db", folder / "pitfalls.db")
        told.write_text("", "utf-8")
        interrupted = 0
        while kills < trials and killed(outbox, rng.uniform(0.0, 0.15)):
            kills, interrupted, now[0] = kills + 1, interrupted + 1, now[0] + STEP
        now[0] += STEP
        outbox()
        sent = told.read_text("utf-8").split()
        assert {one for one in sent if not one.endswith("digest")} <= events
        with Store.open(config.store.url) as store:
            assert store.outbox.pending(1) == ()
            assert not store.leases.read()
        assert len(sent) <= len(set(sent)) + interrupted
    assert (kills, len(events) > 2) == (trials, True)


def migrate_and_kill(folder: Path, trials: int) -> None:
    """Migrate a store of an earlier release in processes that are killed, until so many were."""
    earlier = folder / "earlier.db"
    earlier_store(f"sqlite:///{earlier}")
    url = f"sqlite:///{folder / 'migrated.db'}"
    shutil.copy(earlier, folder / "migrated.db")
    began = time.monotonic()
    Store.open(url).close()
    whole = time.monotonic() - began
    rng, kills = random.Random(9), 0  # noqa: S311 - not for secrets
    while kills < trials:
        for path in folder.glob("migrated.db*"):
            path.unlink()
        shutil.copy(earlier, folder / "migrated.db")
        while kills < trials and killed(lambda: Store.open(url).close(), rng.uniform(0.0, whole)):
            kills += 1
        check_outbox(url)
    assert kills == trials


def kill_all(folder: Path, trials: tuple[int, int, int]) -> None:
    """Each of these in turn, of one fit; to be called in a fresh process, without the threads of this one."""
    ready = fit(load_config(folder / "monitor.toml"), None)
    judge_and_kill(folder, trials[0], ready)
    for store in folder.glob("pitfalls.db*"):
        store.unlink()
    (folder / "told").unlink()
    notify_and_kill(folder, trials[1], ready)
    migrate_and_kill(folder, trials[2])


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
@pytest.mark.parametrize("trials", [FEW, pytest.param(ALL, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_killed_at_200_random_moments_nothing_is_lost_and_nothing_judged_twice(
    deployed: Path, send: Callable[..., None], days: Any, trials: tuple[int, int, int]
) -> None:
    send(deployed, days(days=DAYS // 2, broken_from=3))
    send(deployed, days(days=DAYS // 2, start=LIVE + timedelta(days=DAYS // 2), without="temp", seed=8))
    path = deployed / "monitor.toml"
    path.write_text(path.read_text() + ROUTE)
    process = multiprocessing.get_context("spawn").Process(target=kill_all, args=(deployed, trials))
    process.start()
    process.join()
    assert process.exitcode == 0
