"""The stages of a gRPC response are functions that the server has."""

from __future__ import annotations

from benchmarks.grpc_profile import STAGES


def test_every_stage_can_be_timed() -> None:
    missing = [name for owner, name, _ in STAGES if not callable(getattr(owner, name, None))]
    assert missing == []
