from __future__ import annotations

from collections.abc import Callable
from typing import Any

from click.testing import Result


def test_an_incident_is_shown_in_full_with_what_people_did(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]
) -> None:
    incidents("note", "1", "a broken feed\nstation 7", "--by", "operator")
    incidents("assign", "1", "team flights", "--by", "operator")
    text = incidents("show", "1").stdout
    assert text.startswith("Incident 1, page: open, owner team flights\nSurprise in Brier score: ")
    assert "note: a broken feed station 7 (by operator)" in text
    assert "assigned to team flights (by operator)" in text
    assert "Next step: " in text
    found = document("show", "1")
    assert (found["id"], found["owner"], found["snoozed_until"], found["previous"]) == (1, "team flights", None, None)
    assert [(one["kind"], one["text"]) for one in found["actions"]] == [
        ("note", "a broken feed\nstation 7"),
        ("assign", "team flights"),
    ]
    missing = incidents("show", "9")
    assert (missing.exit_code, "one of: 1, 2" in missing.stderr) == (2, True)
