"""An incident in one line."""

from __future__ import annotations

from monitoring.records import FACT_WATCH, SUBGROUP_WATCH, IncidentRecord
from monitoring.watches.descriptions import LONGEST_MESSAGE, printable, slice_title, watch_title

#: The subject of a fact whose message begins with the loss in the window, up to a semicolon.
_LOSSES = "losses"

#: In causes that name what they are about, which those of earlier versions did not.
SINCE = " since "

#: Subjects of facts that are no input, and that their causes name: traffic volume, labels stopped, unusable answers.
_OF_ALL_TRAFFIC = frozenset(
    {"row count", "recent row count", "recent label count", "recent losses", "label arrivals", "model answers"}
)


def cause_line(incident: IncidentRecord) -> str:
    """What an incident is about, in one line without a full stop."""
    cause = printable(incident.cause, LONGEST_MESSAGE).strip().rstrip(".")
    title = watch_title(incident.watch)
    if incident.watch == FACT_WATCH:
        subject = printable(incident.slice)
        if incident.slice == _LOSSES and ";" in incident.message:
            return f"{printable(incident.message.partition(';')[0], LONGEST_MESSAGE)}: {cause}"
        is_named = subject in _OF_ALL_TRAFFIC or subject.casefold() in cause.casefold()
        return _capital(cause) if is_named else f"{_capital(cause)}: {subject}"
    if incident.watch == SUBGROUP_WATCH:
        return _capital(cause)
    if not cause:
        return f"{title} at {slice_title(incident.slice)}" if incident.slice else title
    if SINCE in cause or cause.casefold().startswith(title.casefold()):
        return _capital(cause)
    where = f" at {slice_title(incident.slice)}" if incident.slice else ""
    return f"{title}{where}: {cause}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
