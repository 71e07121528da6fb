"""Flags that limit clients."""

from __future__ import annotations

import click
import pytest

from tests.pitfalls_tf.cli.serve.parsed_flags import ParsedFlags


def test_flags_that_are_not_given_leave_the_servers_defaults() -> None:
    flags = ParsedFlags().limit_flags
    assert {getattr(flags, name) for name in flags.__slots__} == {None}


@pytest.mark.parametrize(
    "argument",
    ["--max-request-bytes=1023", "--max-connections=0", "--idle-seconds=0", "--slow-client-bytes=0.5"],
)
def test_values_outside_their_range_are_refused(argument: str) -> None:
    with pytest.raises(click.BadParameter, match="is not in the range"):
        ParsedFlags(argument)
