from __future__ import annotations

from collections.abc import Callable
from typing import Any

from click.testing import Result


def test_what_a_person_closed_is_reopened(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]
) -> None:
    incidents("close", "1")
    found = document("reopen", "1", "--why", "too early")
    assert (found["state"], found["closed_at"]) == ("open", None)
    assert [one["kind"] for one in found["actions"]] == ["close", "reopen"]
    assert incidents("reopen", "1").exit_code == 2
