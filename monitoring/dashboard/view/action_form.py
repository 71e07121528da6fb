"""The form by which people act on an incident: its fields as an action."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, get_args

from monitoring.errors import BadInput
from monitoring.records import ActionKind, IncidentAction

#: Who acts, where the form does not say.
NOBODY = "dashboard"

#: Ends of a snooze that the form offers: their values, their words, and how long they are; None: until worse.
SNOOZES: Final = (
    ("1h", "for 1 hour", timedelta(hours=1)),
    ("8h", "for 8 hours", timedelta(hours=8)),
    ("1d", "for 1 day", timedelta(days=1)),
    ("7d", "for 7 days", timedelta(days=7)),
    ("worse", "until it becomes worse", None),
    ("end", "no longer", timedelta(0)),
)

#: The field that has the text of an action.
_TEXTS: Final = {"note": "note", "assign": "owner", "close": "why", "reopen": "why"}

#: What a button of an incident does.
KINDS: Final[tuple[ActionKind, ...]] = tuple(kind for kind in get_args(ActionKind) if kind != "run")


def require_sure(form: Mapping[str, str]) -> None:
    """Refuse a form whose tick was not set. Raises BadInput then."""
    if form.get("sure") != "yes":
        raise BadInput(
            "It was not confirmed.", got="no tick", expected="the tick beside the button", fix="Set it, and send again."
        )


def action_of(kind: ActionKind, form: Mapping[str, str], now: datetime) -> IncidentAction:
    """The action that a form asks for.

    Args:
        form: The fields: `by`, `note`, `owner`, `why`, `until`.

    Raises:
        BadInput: The end of a snooze is none of `SNOOZES`.
    """
    text = form.get(_TEXTS.get(kind, ""), "").strip()
    until, until_worse = None, False
    if kind == "snooze":
        lengths = {value: length for value, _, length in SNOOZES}
        asked = form.get("until", "")
        if asked not in lengths:
            raise BadInput(
                "A snooze needs an end.", got=asked or "none", expected=", ".join(lengths), fix="Choose one of these."
            )
        length = lengths[asked]
        until, until_worse = (None, True) if length is None else (now + length, False)
    by = form.get("by", "").strip() or NOBODY
    return IncidentAction(at=now, by=by, kind=kind, text=text, until=until, until_worse=until_worse)
