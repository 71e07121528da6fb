from __future__ import annotations

from datetime import timedelta

import pytest

from monitoring.dashboard.view.action_form import action_of
from monitoring.errors import BadInput
from monitoring.records import IncidentAction
from tests.dashboard_store import NOW


def test_each_button_takes_its_own_field() -> None:
    form = {"by": " operator ", "note": "seen", "owner": "team flights", "why": "mended", "until": "8h"}
    texts = {"acknowledge": "", "assign": "team flights", "note": "seen", "close": "mended", "reopen": "mended"}
    for kind, text in texts.items():
        expected = IncidentAction(at=NOW, by="operator", kind=kind, text=text)  # type: ignore[arg-type]  # from a list
        assert action_of(kind, form, NOW) == expected  # type: ignore[arg-type]  # as above
    snooze = action_of("snooze", form, NOW)
    assert (snooze.text, snooze.until, snooze.until_worse) == ("", NOW + timedelta(hours=8), False)


def test_a_snooze_ends_with_what_is_worse_or_now_and_never_without_an_end() -> None:
    worse, end = (action_of("snooze", {"until": until}, NOW) for until in ("worse", "end"))
    assert (worse.until, worse.until_worse, worse.by) == (None, True, "dashboard")
    assert (end.until, end.until_worse) == (NOW, False)
    with pytest.raises(BadInput, match="needs an end"):
        action_of("snooze", {}, NOW)
