from __future__ import annotations

from benchmarks.load_generator import Load
from benchmarks.peer_rounds import LoadResult
from benchmarks.serving_peers import BARE, CONNECTIONS, GRPC_LOGGED, LITSERVE, LOGGED, OURS, _failures, _goals


def result(*, responses: int, p50_ms: float = 1.0, failures: int = 0) -> LoadResult:
    load = Load(
        connections=64,
        seconds=1.0,
        responses=responses,
        with_warm_up=responses,
        failures=failures,
        p50_ms=p50_ms,
        p99_ms=2.0 * p50_ms,
        max_ms=3.0 * p50_ms,
        cpu_seconds=0.5,
    )
    return LoadResult(load=load, cpu_ms=0.1, megabytes=100.0)


def test_goals_are_medians_of_the_ratios_within_a_round() -> None:
    # The machine is half as fast in the second and third round, which a ratio within a round does not show.
    rounds = (2, 1, 1)
    results = {
        (name, connections): [result(responses=responses * speed) for speed in rounds]
        for name, responses in ((BARE, 1000), (OURS, 800), (LOGGED, 600), (GRPC_LOGGED, 300), (LITSERVE, 50))
        for connections in CONNECTIONS
    }
    found = {str(goal): (goal.got, goal.reached) for goal in _goals("dense", results)}
    assert found == {
        "at least 8 times LitServe at 64 connections, logged": (12.0, True),
        "at least 0.5 of the ceiling's throughput at 64 connections, logged": (0.6, True),
        "at most 2.5 times the ceiling's p50 at 1 connection, logged": (1.0, True),
        "at least 0.9 of the throughput without the log at 64 connections": (0.75, False),
        "at least 0.35 of REST's throughput for gRPC's at 64 connections, logged": (0.5, True),
        "at most 3 times REST's CPU for gRPC's at 64 connections, logged": (1.0, True),
        "at most 4 times p50 for p99 at 64 connections, logged": (2.0, True),
    }


def test_failed_requests_are_counted_by_server_and_load() -> None:
    results = {
        (OURS, 1): [result(responses=9, failures=1), result(responses=9, failures=2)],
        (BARE, 1): [result(responses=9)],
    }
    assert _failures(results) == ["pitfalls serve, 1 connections: 3 requests failed."]
