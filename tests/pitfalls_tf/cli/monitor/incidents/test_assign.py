from __future__ import annotations

from collections.abc import Callable
from typing import Any

from click.testing import Result


def test_an_owner_is_named_replaced_and_taken_away(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]
) -> None:
    assert incidents("assign", "1", "team flights").stdout == "Incident 1: open, owner team flights.\n"
    assert document("assign", "1", "team weather")["owner"] == "team weather"
    assert document("assign", "1")["owner"] is None
