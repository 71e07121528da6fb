from __future__ import annotations

from collections.abc import Callable
from typing import Any

from click.testing import Result


def test_closing_says_what_follows_and_closed_is_closed(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]
) -> None:
    found = document("close", "1", "--why", "the feed is mended", "--by", "operator")
    assert (found["state"], found["actions"][0]["text"]) == ("closed", "the feed is mended")
    assert found["closed_at"] == found["actions"][0]["at"]
    assert "tested against the baseline again from the next window on" in incidents("close", "2").stdout
    assert incidents("close", "1").exit_code == 2
