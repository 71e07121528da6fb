"""The identity of a metric's code is compared whole."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from monitoring.records import MetricCode


def test_codes_differ_by_their_files() -> None:
    one = MetricCode(name="missed", function="own:missed", digest="a")
    assert one == replace(one)
    assert one != replace(one, digest="b")
    with pytest.raises(FrozenInstanceError):
        one.digest = "b"  # type: ignore[misc]
