from __future__ import annotations

from datetime import UTC, datetime

from monitoring.records import IncidentAction


def test_an_action_has_a_time_a_person_and_a_kind_and_the_rest_is_optional() -> None:
    action = IncidentAction(at=datetime(2013, 4, 1, tzinfo=UTC), by="operator", kind="reopen")
    assert (action.text, action.until, action.until_worse) == ("", None, False)
