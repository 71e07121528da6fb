from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from monitoring.errors import AnotherRun, CannotRun
from monitoring.store import Store
from monitoring.store.leases import LeaseRecord

NOW = datetime(2013, 4, 2, 6, tzinfo=UTC)


def test_only_one_run_holds_the_lease(store: Store, deployment: int) -> None:
    with (
        store.leases.take(deployment, "one", NOW, 60),
        pytest.raises(CannotRun, match="lease of one until 2013-04-02T06:01:00"),
    ):
        store.leases.take(deployment, "two", NOW + timedelta(seconds=59), 60)
    with store.leases.take(deployment, "two", NOW, 60) as lease:
        assert lease.owner == "two"


def test_a_lease_that_ran_out_is_taken_over_and_its_owner_finds_out(store: Store, deployment: int) -> None:
    slow = store.leases.take(deployment, "slow", NOW, 60)
    with store.leases.take(deployment, "fast", NOW + timedelta(seconds=60), 60):
        with pytest.raises(CannotRun, match="taken over"):
            slow.renew(NOW + timedelta(seconds=61))
        slow.release()
        with pytest.raises(CannotRun, match="lease of fast"):
            store.leases.take(deployment, "third", NOW + timedelta(seconds=62), 60)


def test_a_lease_from_a_clock_that_was_ahead_is_no_obstacle(store: Store, deployment: int) -> None:
    store.leases.take(deployment, "ahead", NOW + timedelta(days=5_000), 60)
    with store.leases.take(deployment, "next", NOW, 60), pytest.raises(AnotherRun, match="lease of next"):
        store.leases.take(deployment, "third", NOW, 60)


def test_a_renewed_lease_lasts_longer(store: Store, deployment: int) -> None:
    lease = store.leases.take(deployment, "one", NOW, 60)
    lease.renew(NOW + timedelta(seconds=50))
    with pytest.raises(CannotRun, match="lease of one"):
        store.leases.take(deployment, "two", NOW + timedelta(seconds=100), 60)
    lease.release()
    lease.release()
    with pytest.raises(CannotRun, match="taken over"):
        lease.renew(NOW)


def test_a_lease_is_kept_by_one_renewal_in_a_tenth_of_its_length(store: Store, deployment: int) -> None:
    lease = store.leases.take(deployment, "one", NOW, 60)
    until = []
    for seconds in (1, 5, 7, 12, 13, 59, 100):
        lease.keep(NOW + timedelta(seconds=seconds))
        (record,) = store.leases.read()
        until.append((record.expires_at - NOW).total_seconds())
    assert until == [60, 60, 67, 67, 73, 119, 160]


def test_a_lease_that_ran_out_unnoticed_can_still_be_renewed(store: Store, deployment: int) -> None:
    lease = store.leases.take(deployment, "one", NOW, 60)
    lease.renew(NOW + timedelta(hours=1))
    with pytest.raises(CannotRun, match="lease of one"):
        store.leases.take(deployment, "two", NOW + timedelta(hours=1), 60)


RUN = """
import json, sys
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from monitoring.errors import AnotherRun, CannotRun
from monitoring.records import WindowRecord
from monitoring.store import Store
from monitoring.store.leases import LeaseRecord

url, owner, leased = sys.argv[1], sys.argv[2], sys.argv[3] == "leased"
start = datetime(2013, 4, 1, tzinfo=UTC)
judged = []
with Store.open(url) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    while True:
        try:
            with store.leases.take(1, owner, datetime.now(UTC), 60) if leased else nullcontext():
                last = store.windows.last(1)
                begin = last.record.end if last else start
                if begin >= start + timedelta(days=25):
                    break
                window = WindowRecord(
                    start=begin, end=begin + timedelta(days=1), rows=1, labels=0, labels_due=0, labels_unknown=0,
                    repeats=0, status="ok", page_log_evidence=0.0, notice_log_evidence=0.0,
                )
                store.commit_window(1, window, states={"page": owner}, label_cursor={}, incidents=())
                judged.append(begin.day)
        except CannotRun as refused:
            assert "judged already" in str(refused) or "Another run" in str(refused), refused
print(json.dumps(judged))
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["leased", "bare"], ids=["by lease", "by the store's own rule alone"])
def test_two_processes_judge_every_window_once(store: Store, deployment: int, url: str, how: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RUN, url, owner, how],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for owner in ("one", "two")
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate() for process in processes]
    assert [error for _, error in outputs] == ["", ""]
    judged = [day for output, _ in outputs for day in json.loads(output)]
    assert sorted(judged) == list(range(1, 26))
    assert [window.start.day for window in store.windows.read(deployment)] == list(range(1, 26))


def test_a_lease_that_was_left_behind_is_listed_and_released(store: Store, deployment: int) -> None:
    held = store.leases.take(deployment, "killed", NOW, 120)
    assert store.leases.read() == (
        LeaseRecord(deployment=deployment, owner="killed", expires_at=NOW + timedelta(seconds=120)),
    )
    assert store.leases.release(deployment)
    assert not store.leases.release(deployment)
    assert store.leases.read() == ()
    with pytest.raises(CannotRun, match="taken over"):
        held.renew(NOW)
    store.leases.take(deployment, "next", NOW, 120)
