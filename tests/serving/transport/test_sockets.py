"""Addresses are bound or refused, alone or together with other sockets of this user."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from monitoring.errors import CannotRun
from serving.transport.sockets import Address, bind_address, free_socket_path, port_of, target_of, url_of

if TYPE_CHECKING:
    from pathlib import Path


def test_port_0_binds_a_free_port() -> None:
    with bind_address(Address(port=0)) as bound:
        port = port_of(bound)
        assert port > 0
        assert url_of(bound) == f"http://127.0.0.1:{port}"
        assert target_of(bound) == f"127.0.0.1:{port}"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        bound.listen()
        socket.create_connection(("127.0.0.1", port)).close()


def test_a_port_in_use_is_named_with_the_flag_for_another() -> None:
    with bind_address(Address(port=0)) as bound:
        bound.listen()
        with pytest.raises(CannotRun, match=f"port {port_of(bound)} is in use.*another --grpc-port"):
            bind_address(Address(port=port_of(bound), flag="--grpc-port"))


def test_a_shared_address_is_bound_by_several_sockets_if_all_share_it() -> None:
    with bind_address(Address(port=0), is_shared=True) as first:
        address = Address(port=port_of(first))
        with bind_address(address, is_shared=True) as second:
            assert port_of(second) == port_of(first)
            first.listen()
            second.listen()
            with pytest.raises(CannotRun, match="is in use"):
                bind_address(address)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(CannotRun, match=r"cannot listen on this address.*192\.0\.2\.1:0"):
        bind_address(Address(host="192.0.2.1", port=0))


def test_ipv6_addresses_are_written_in_brackets() -> None:
    try:
        bound = bind_address(Address(host="::1", port=0))
    except CannotRun:
        pytest.skip("no IPv6 here")
    with bound:
        assert url_of(bound) == f"http://[::1]:{port_of(bound)}"
        assert target_of(bound) == f"[::1]:{port_of(bound)}"


def test_a_unix_socket_that_was_left_behind_is_removed_and_one_in_use_is_not(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    free_socket_path(path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with pytest.raises(CannotRun, match=r"a socket on which a server listens.*another --grpc_socket_path"):
            free_socket_path(path)
    free_socket_path(path)
    assert not path.exists()
    path.write_text("kept")
    with pytest.raises(CannotRun, match="a file that is no socket"):
        free_socket_path(path)
    assert path.read_text() == "kept"
