from __future__ import annotations

from collections.abc import Callable
from typing import Any

from click.testing import Result


def test_open_incidents_are_one_line_each_and_closed_ones_are_listed_if_asked_for(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]
) -> None:
    incidents("assign", "1", "team flights", "--by", "operator")
    incidents("close", "2", "--by", "operator")
    (line,) = incidents("list").stdout.splitlines()
    assert line.startswith("1  page  23 Apr 2013  open, owner team flights  Surprise in Brier score: ")
    assert len(incidents("list", "--all").stdout.splitlines()) == 2
    assert [one["id"] for one in document("list")["incidents"]] == [1]
    incidents("close", "1")
    assert incidents("list").stdout == "No open incident.\n"
