"""Rows are erased while a run judges: no window is lost, judged twice, or judged of other rows than there are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import load_config
from monitoring.erasure.erase import ErasureRequest, Waiting, erase
from monitoring.erasure.receipt import Receipt
from monitoring.inspection.status import status
from monitoring.records import MonitorStatus
from monitoring.runs.run import run_due_windows
from monitoring.runs.run_request import Progress
from monitoring.store.store import Store
from monitoring.traffic.log.log import TrafficLog
from tests.small_deployment import LIVE, ROWS_A_DAY

pytestmark = pytest.mark.slow

DAYS, AT = 4, 2
NOW = LIVE + timedelta(days=DAYS, hours=7)
#: Rows of each day that go.
GONE = 4


def forget(folder: Path, ids: tuple[str, ...]) -> Receipt:
    request = ErasureRequest(root=folder / "traffic", ids=ids, by="me", store_url=f"sqlite:///{folder / 'pitfalls.db'}")
    still = Waiting(seconds=0.0, clock=lambda: NOW, elapsed=time.monotonic, sleep=time.sleep, tell=lambda _: None)
    return erase(request, still)[0]


def judge(folder: Path, progress: Callable[[Progress], None], *, stop: Callable[[], bool] = lambda: False) -> None:
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: NOW, progress=progress, stop=stop)


def found(folder: Path) -> MonitorStatus:
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        assert store.leases.read() == ()
        return status(store, config.name)


@pytest.fixture
def made(deploy: Callable[[str], Path], send: Callable[..., None], days: Any) -> Callable[[str], Path]:
    """Makes a deployment with traffic in a folder of that name."""

    def one(name: str) -> Path:
        folder = deploy(name)
        send(folder, days(days=DAYS, broken_from=AT))
        return folder

    return one


def some_of_each_day(folder: Path) -> tuple[str, ...]:
    """The ids of the rows that go."""
    ids = TrafficLog(folder / "traffic").read(model="flights")["prediction_id"].to_pylist()
    return tuple(one for day in range(DAYS) for one in ids[day * ROWS_A_DAY :][:GONE])


def test_rows_that_go_beside_a_run_leave_what_they_leave_between_two(made: Callable[[str], Path]) -> None:
    beside, between = made("beside"), made("between")
    gone = some_of_each_day(beside)
    judged: list[int] = []
    receipts: list[Receipt] = []

    def erased_after(progress: Progress) -> None:
        judged.append(progress.done)
        if progress.done == AT:
            receipts.append(forget(beside, gone))

    judge(beside, erased_after)
    [receipt] = receipts
    assert (receipt.state, [one.what for one in receipt.unreached]) == ("incomplete", ["store"])
    assert "A run is judging" in receipt.unreached[0].why
    assert judged == list(range(1, DAYS + 1))
    assert forget(beside, gone).state == "complete"

    before: list[int] = []
    judge(between, lambda progress: before.append(progress.done), stop=lambda: len(before) >= AT)
    assert forget(between, gone).state == "complete"
    judge(between, lambda _: None)
    assert [window.rows for window in found(between).windows] == [ROWS_A_DAY] * AT + [ROWS_A_DAY - GONE] * (DAYS - AT)
    assert found(beside).windows == found(between).windows
    assert [one.state for one in found(beside).incidents] == [one.state for one in found(between).incidents]


def test_rows_that_go_at_any_moment_of_a_run_cost_no_window(made: Callable[[str], Path]) -> None:
    race = made("race")
    gone = some_of_each_day(race)
    erasing = threading.Thread(target=forget, args=(race, gone))
    judge(race, lambda progress: erasing.start() if progress.done == 1 else None)
    erasing.join()
    windows = found(race).windows
    assert [window.start for window in windows] == [LIVE + timedelta(days=day) for day in range(DAYS)]
    assert all(ROWS_A_DAY - GONE <= window.rows <= ROWS_A_DAY for window in windows)
    assert windows[0].rows == ROWS_A_DAY
    assert forget(race, gone).state == "complete"
    judge(race, lambda _: None)
    assert found(race).windows == windows
