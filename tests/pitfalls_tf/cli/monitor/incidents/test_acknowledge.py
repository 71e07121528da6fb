from __future__ import annotations

from collections.abc import Callable
from typing import Any

from click.testing import Result


def test_an_incident_is_acknowledged_once(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]
) -> None:
    first = document("acknowledge", "1", "--by", "operator")
    assert (first["state"], [one["by"] for one in first["actions"]]) == ("acknowledged", ["operator"])
    assert document("acknowledge", "1", "--by", "another") == first
    assert incidents("acknowledge", "1").stdout == "Incident 1: acknowledged.\n"
