from __future__ import annotations

import socket

import pytest

from monitoring.dashboard.web.server import access_of, address_of, bind
from monitoring.errors import BadInput, CannotRun


def test_beyond_this_machine_a_token_is_needed() -> None:
    with pytest.raises(BadInput, match="needs a token"):
        access_of("0.0.0.0", None)  # noqa: S104 - refused
    assert access_of("0.0.0.0", "secret", ("monitor.example",)).token == "secret"  # noqa: S104 - never bound
    assert access_of("127.0.0.1", None).token is None


def test_a_port_that_is_taken_is_said() -> None:
    with bind("127.0.0.1", 0) as listening:
        listening.listen()
        port = listening.getsockname()[1]
        assert address_of(listening) == f"http://127.0.0.1:{port}/"
        with pytest.raises(CannotRun, match="--port"):
            bind("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(CannotRun, match="cannot listen there"):
        bind("192.0.2.1", 0)


def test_an_address_of_version_6_is_in_brackets() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6")
    try:
        listening = bind("::1", 0)
    except CannotRun:
        pytest.skip("no IPv6 address")
    with listening:
        assert address_of(listening).startswith("http://[::1]:")
