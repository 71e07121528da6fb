from __future__ import annotations

from collections.abc import Callable
from typing import Any

from click.testing import Result


def test_a_note_is_kept_and_an_empty_one_refused(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]
) -> None:
    assert document("note", "2", "seen before", "--by", "operator")["actions"][0]["text"] == "seen before"
    refused = incidents("note", "2", " ")
    assert (refused.exit_code, "The note is empty" in refused.stderr) == (2, True)
