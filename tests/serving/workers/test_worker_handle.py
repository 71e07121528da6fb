"""A worker as its supervisor sees it: its messages, and when it is restarted."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack

import pytest

from monitoring.errors import BadInput, CannotRun
from serving.workers.worker_handle import FIRST_PAUSE_S, HEALTHY_S, LONGEST_PAUSE_S, WorkerHandle


def deaths(worker: WorkerHandle, *lives: tuple[float, bool]) -> list[float]:
    """The pauses after lives of so many seconds, in which it answered or did not."""
    pauses, now_s = [], 1000.0
    for lived_s, was_ready in lives:
        worker.started_s = now_s
        now_s += lived_s
        worker.schedule_restart(now_s, was_ready=was_ready)
        assert worker.restart_at_s == now_s + worker.pause_s
        pauses.append(worker.pause_s)
        now_s = worker.restart_at_s
    return pauses


def test_pauses_before_restarts_double_up_to_the_longest() -> None:
    assert deaths(WorkerHandle(number=0), *[(5.0, True)] * 7) == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert (FIRST_PAUSE_S, LONGEST_PAUSE_S) == (1.0, 30.0)


def test_a_healthy_worker_is_restarted_after_the_first_pause_again() -> None:
    assert deaths(WorkerHandle(number=0), (1.0, True), (1.0, True), (HEALTHY_S, True), (1.0, True)) == [
        1.0,
        2.0,
        1.0,
        2.0,
    ]
    # Long in starting is not well.
    assert deaths(WorkerHandle(number=0), (1.0, False), (10 * HEALTHY_S, False), (1.0, True)) == [1.0, 2.0, 4.0]


def test_messages_are_received_whole_and_the_end_is_not_a_message() -> None:
    worker = WorkerHandle(number=1)
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(one) for one in socket.socketpair())
        worker.start(7, ours, 5.0)
        assert (worker.pid, worker.started_s, worker.receive()) == (7, 5.0, [])
        lines = [json.dumps(one).encode() + b"\n" for one in ({"said": "a"}, {"ready": {"models": {"m": [1]}}})]
        theirs.sendall(lines[0] + lines[1][:5])
        assert worker.receive() == [{"said": "a"}]
        theirs.sendall(lines[1][5:])
        theirs.close()
        [message] = worker.receive()
        worker.record(message)
        assert (worker.ready, worker.receive()) == ({"models": {"m": [1]}}, [])
        worker.schedule_restart(6.0, was_ready=True)
        worker.clear()
        assert (worker.pid, worker.control, worker.ready, worker.restart_at_s) == (0, None, None, 7.0)
        assert ours.fileno() == -1


@pytest.mark.parametrize("kind", [BadInput, CannotRun])
def test_the_error_of_a_worker_that_cannot_start_is_received_whole(kind: type[BadInput | CannotRun]) -> None:
    worker = WorkerHandle(number=0)
    parts = {"what": "w", "got": "g", "expected": "e", "fix": "f"}
    worker.record({"failed": {**parts, "exit_code": kind.exit_code}})
    assert type(worker.failure) is kind
    assert str(worker.failure) == str(kind(**parts))
