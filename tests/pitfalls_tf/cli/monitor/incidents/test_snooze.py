from __future__ import annotations

from collections.abc import Callable
from typing import Any

from click.testing import Result


def test_a_snooze_has_an_end(incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]) -> None:
    assert "snoozed until worse" in incidents("snooze", "1", "--until-worse").stdout
    found = document("snooze", "1", "--until", "2999-01-01")
    assert (found["snoozed_until"], found["snoozed_until_worse"]) == ("2999-01-01T00:00:00Z", False)
    assert "snoozed until 1 Jan 2999" in incidents("list").stdout
    assert document("snooze", "1", "--end")["snoozed_until"] is None
    assert "snooze ended (by " in incidents("show", "1").stdout


def test_a_snooze_without_an_end_or_with_two_is_refused(incidents: Callable[..., Result]) -> None:
    for wrong in ((), ("--until", "yesterday"), ("--until", "2001-01-01"), ("--end", "--until", "2h")):
        result = incidents("snooze", "1", *wrong)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("Error: ")
