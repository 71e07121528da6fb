"""Small files of pitfalls_tf.cli.serve, each test named after what it is about."""

from __future__ import annotations

import click
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.cli.serve.grpc_settings import contradiction
from pitfalls_tf.cli.serve.server_flags import read_version_labels
from tests.pitfalls_tf.cli.serve.parsed_flags import ParsedFlags


def test_both_flags_and_the_reason_are_named() -> None:
    error = contradiction("--gpus=0", "--workers=2", "each GPU has one process")
    assert error.what == "--gpus=0 and --workers=2 contradict each other: each GPU has one process."
    assert (error.got, error.fix) == ("--gpus=0 and --workers=2", "Leave one out.")


def test_flags_that_are_not_given_leave_the_servers_defaults() -> None:
    flags = ParsedFlags().limit_flags
    assert {getattr(flags, name) for name in flags.__slots__} == {None}


@pytest.mark.parametrize(
    "argument", ["--max-request-bytes=1023", "--max-connections=0", "--idle-seconds=0", "--slow-client-bytes=0.5"]
)
def test_values_outside_their_range_are_refused(argument: str) -> None:
    with pytest.raises(click.BadParameter, match="is not in the range"):
        ParsedFlags(argument)


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
