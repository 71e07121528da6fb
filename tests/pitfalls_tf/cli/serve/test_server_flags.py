"""The server's own flags."""

from __future__ import annotations

import click
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.cli.serve.server_flags import read_version_labels
from tests.pitfalls_tf.cli.serve.parsed_flags import ParsedFlags


@pytest.mark.parametrize(
    "pair", ["flights", "flights:stable", "flights=3", ":stable=3", "flights:=3", "m:l=x", "m:l=-1"]
)
def test_an_invalid_version_label_is_refused(pair: str) -> None:
    with pytest.raises(BadInput, match="Invalid version label"):
        read_version_labels((pair,))


def test_the_last_of_repeated_labels_counts() -> None:
    assert read_version_labels(("m:a=1", "m:a=2", "n:a=3")) == {"m": {"a": 2}, "n": {"a": 3}}


@pytest.mark.parametrize(("text", "port"), [("off", "off"), ("0", 0), ("8500", 8500)])
def test_a_grpc_port_is_a_number_or_off(text: str, port: int | str) -> None:
    assert ParsedFlags("--grpc-port", text).server.grpc_port == port


@pytest.mark.parametrize("text", ["on", "-1", "65536"])
def test_other_grpc_ports_are_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        ParsedFlags("--grpc-port", text)
