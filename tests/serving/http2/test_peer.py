"""The address of a connection's client."""

from __future__ import annotations

import pytest

from serving.http2.peer import peer_of


@pytest.mark.parametrize(
    ("address", "expected"), [(("1.2.3.4", 5), "ipv4:1.2.3.4:5"), (("::1", 5, 0, 0), "ipv6:%5B::1%5D:5"), ("", "unix:")]
)
def test_peers_are_written_as_grpc_writes_them(address: object, expected: str) -> None:
    assert peer_of(address) == expected
