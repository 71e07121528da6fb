"""What is answered is logged first; what cannot be logged is counted, and the gap is told when it ends."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from monitoring.errors import CannotRun
from monitoring.traffic.log.redaction import Redaction
from serving.access.identity import NOBODY, Identity
from serving.capture.capture import AnsweredBatch, Caller, Capture, LoggedCallers
from serving.metrics.metrics import TrafficCounts

if TYPE_CHECKING:
    from monitoring.traffic.format.rows import AnsweredRows
    from serving.models.served_version import ServedVersion
    from serving.models.versions import Models


class Disk:
    """A log whose disk can fail."""

    def __init__(self) -> None:
        self.rows: list[AnsweredRows] = []
        self.error: Exception | None = None

    def append(self, rows: AnsweredRows) -> None:
        if self.error is not None:
            raise self.error
        self.rows.append(rows)


@pytest.fixture
def served(models: Models) -> ServedVersion:
    with models.lease("half_plus_two") as one:
        return one


def batch(served: ServedVersion, *counts: int, answered_us: int = 5_000_000) -> AnsweredBatch:
    total = sum(counts)
    return AnsweredBatch(
        served=served,
        signature=served.runner.signatures["serving_default"],
        callers=[
            Caller(request_id=f"r{index}", event_time_us=index, arrived_us=4_000_000 + index)
            for index in range(len(counts))
        ],
        counts=counts,
        inputs={"x": np.arange(total, dtype=np.float32)},
        outputs={"y": np.arange(total, dtype=np.float32)},
        answered_us=answered_us,
    )


@pytest.mark.parametrize("counts", [(3,), (2, 0, 1), (1, 1, 1)])
def test_one_append_holds_the_rows_of_every_caller(served: ServedVersion, counts: tuple[int, ...]) -> None:
    disk = Disk()
    Capture(disk).record(batch(served, *counts))
    (rows,) = disk.rows
    pairs = [(f"r{index}", row) for index, count in enumerate(counts) for row in range(count)]
    assert list(zip(rows.request_ids, np.asarray(rows.rows).tolist(), strict=True)) == pairs
    assert list(rows.event_times_us) == [int(request[1:]) for request, _ in pairs]
    assert list(rows.latencies_us) == [1_000_000 - int(request[1:]) for request, _ in pairs]
    assert (rows.model, rows.version, rows.signature) == ("half_plus_two", 123, "serving_default")


def test_rows_with_times_out_of_range_are_apart_and_all_have_their_caller(served: ServedVersion) -> None:
    disk, answered = Disk(), batch(served, 2, 1, 1)
    callers = [
        one._replace(identity=Identity(f"p{index}", "10.0.0.7"), answer_id=f"a{index}", is_in_range=index != 1)
        for index, one in enumerate(answered.callers)
    ]
    capture = Capture(disk, callers=LoggedCallers(peer=False))
    assert capture.record(answered._replace(callers=callers))
    assert (capture.counts().rows_logged, capture.counts().rows_quarantined) == (4, 1)
    kept, aside = disk.rows
    assert (kept.quarantined, aside.quarantined) == (False, True)
    assert (kept.request_ids, aside.request_ids) == (["r0", "r0", "r2"], ["r1"])
    assert (kept.answer_ids, aside.answer_ids) == (["a0", "a0", "a2"], ["a1"])
    assert (kept.principals, kept.peers) == (["p0", "p0", "p2"], [])
    assert [rows.inputs["x"].tolist() for rows in disk.rows] == [[0.0, 1.0, 3.0], [2.0]]


def test_without_a_log_nothing_is_counted_as_lost(served: ServedVersion) -> None:
    capture = Capture(None)
    capture.record(batch(served, 3))
    assert (capture.writes, capture.counts()) == (False, TrafficCounts())


def failures() -> list[Any]:
    closed = CannotRun("Closed.", got="rows", expected="none", fix="Open it.")
    return [pytest.param(OSError(28, "No space left on device"), id="disk"), pytest.param(closed, id="closed")]


@pytest.mark.parametrize("error", failures())
def test_lost_rows_are_counted_and_their_gap_is_told_when_it_ends(
    served: ServedVersion, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    disk = Disk()
    capture = Capture(disk)
    capture.record(batch(served, 2))
    disk.error = error
    with caplog.at_level(logging.WARNING):
        capture.record(batch(served, 3, answered_us=6_000_000))
        capture.record(batch(served, 1, 1, answered_us=8_000_000))
        gap = capture.open_gap
        assert gap is not None
        assert (gap.first_us, gap.last_us, gap.rows) == (6_000_000, 8_000_000, 5)
        assert str(error) in gap.reason
        disk.error = None
        capture.record(batch(served, 4))
    assert (capture.counts().rows_logged, capture.counts().rows_lost) == (6, 5)
    assert capture.open_gap is None
    assert capture.gaps == [gap]
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2, "once when it begins, once when it ends"
    assert "5 answered rows between 1970-01-01T00:00:06+00:00 and 1970-01-01T00:00:08+00:00" in told[1]


SHOP = Identity("shop", "10.0.0.7")
KEY = b"0123456789abcdef"


@pytest.mark.parametrize("principal", [True, False])
@pytest.mark.parametrize("peer", [True, False])
def test_principal_and_peer_are_kept_or_left_out(*, principal: bool, peer: bool) -> None:
    callers = LoggedCallers(principal=principal, peer=peer)
    assert callers.columns([SHOP, NOBODY]) == (["shop", ""] if principal else [], ["10.0.0.7", ""] if peer else [])
    assert callers.columns([SHOP] * 2) == (["shop"] * 2 if principal else [], ["10.0.0.7"] * 2 if peer else [])
    assert callers.columns([NOBODY] * 2) == ([], [])
    assert callers.columns([Identity("", "a"), Identity("", "b")]) == ([], ["a", "b"] if peer else [])


def test_they_are_redacted_as_columns_are() -> None:
    dropped = LoggedCallers(redaction=Redaction(dropped=frozenset({"caller_peer"})))
    assert dropped.columns([SHOP]) == (["shop"], [])
    callers = LoggedCallers(redaction=Redaction(hashed=frozenset({"caller_peer"}), key=KEY))
    principals, peers = callers.columns([SHOP, NOBODY, SHOP])
    assert (principals, peers[1], peers[0]) == (["shop", "", "shop"], "", peers[2])
    assert len(peers[0]) == 32
    assert peers[0] != "10.0.0.7"
