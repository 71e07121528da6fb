"""Both sockets are bound before anything else, or none; gRPC may be left out where its port is not required."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from monitoring.errors import CannotRun
from serving.models.model_list import SingleModel
from serving.server.listeners import bind_first_listeners, bind_listeners
from serving.server.settings import GrpcListener, ModelRepositorySettings, ServeSettings
from serving.transport.sockets import Address, bind_address, port_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FREE = Address(port=0, flag="--grpc-port")


def unused(text: str) -> None:
    raise AssertionError(text)


def settings(folder: Path, address: Address | None, grpc: GrpcListener | None) -> ServeSettings:
    return ServeSettings(
        repository=ModelRepositorySettings(source=SingleModel(name="m", base=folder)), address=address, grpc=grpc
    )


@pytest.fixture
def taken() -> Iterator[Address]:
    """An address that another server listens on."""
    with bind_address(Address(port=0)) as bound:
        bound.listen()
        yield Address(port=port_of(bound), flag="--grpc-port")


def test_the_bound_ports_are_those_that_are_reported(tmp_path: Path) -> None:
    wanted = settings(tmp_path, Address(port=0), GrpcListener(address=FREE))
    with bind_listeners(wanted, unused, is_shared=False) as listeners:
        assert listeners.http is not None
        assert listeners.grpc is not None
        info = listeners.info({"m": (2, 1)})
        assert info.url == f"http://127.0.0.1:{port_of(listeners.http)}"
        assert info.grpc == f"127.0.0.1:{port_of(listeners.grpc)}"
        assert (info.models, info.pid) == ({"m": (2, 1)}, os.getpid())
    assert (listeners.http.fileno(), listeners.grpc.fileno()) == (-1, -1)


def test_an_interface_without_an_address_has_no_socket(tmp_path: Path) -> None:
    for wanted in (settings(tmp_path, None, GrpcListener(address=FREE)), settings(tmp_path, Address(port=0), None)):
        with bind_listeners(wanted, unused, is_shared=False) as listeners:
            info = listeners.info({})
            assert (info.url is None, info.grpc is None) == (wanted.address is None, wanted.grpc is None)


def test_a_grpc_port_in_use_is_reported_where_it_is_not_required(tmp_path: Path, taken: Address) -> None:
    reports: list[str] = []
    wanted = settings(tmp_path, Address(port=0), GrpcListener(address=taken, is_required=False))
    with bind_listeners(wanted, reports.append, is_shared=False) as listeners:
        assert listeners.http is not None
        assert listeners.grpc is None
    assert reports == [f"No gRPC: port {taken.port} cannot be bound. To use another port, pass --grpc-port."]


def test_a_required_grpc_port_in_use_frees_the_http_port_again(tmp_path: Path, taken: Address) -> None:
    with bind_address(Address(port=0)) as probe:
        http = Address(port=port_of(probe))
    with pytest.raises(CannotRun, match=f"port {taken.port} is in use"):
        bind_listeners(settings(tmp_path, http, GrpcListener(address=taken)), unused, is_shared=False)
    with bind_address(http) as again:
        assert isinstance(again, socket.socket)


def test_two_servers_with_workers_do_not_share_an_address_whether_they_listen_or_not(tmp_path: Path) -> None:
    with bind_first_listeners(settings(tmp_path, FREE, None), unused) as first:
        assert first.http is not None
        address = Address(port=port_of(first.http))
        same = settings(tmp_path, address, GrpcListener(address=FREE))
        refused = pytest.raises(CannotRun, match=rf"port {address.port} is in use. .* may be starting or stopping")
        with bind_listeners(same, unused, is_shared=True) as worker, refused:
            assert worker.http is not None
            worker.http.listen()
            worker.http.close()  # as while it drains
            bind_first_listeners(same, unused)
        with refused:
            bind_first_listeners(same, unused)
    with bind_first_listeners(same, unused) as second:
        assert second.http is not None


def test_a_port_on_which_another_program_shares_is_in_use(tmp_path: Path) -> None:
    with bind_address(FREE, is_shared=True) as other:
        other.listen()
        taken = Address(port=port_of(other), flag="--grpc-port")
        with pytest.raises(CannotRun, match=f"port {taken.port} is in use"):
            bind_first_listeners(settings(tmp_path, taken, None), unused)
        reports: list[str] = []
        optional = GrpcListener(address=taken, is_required=False)
        with bind_first_listeners(settings(tmp_path, FREE, optional), reports.append) as without:
            assert without.grpc is None
        assert len(reports) == 1
