"""Incidents opened by facts, such as an input that is gone: at once, and outside the false-alarm budget."""

from __future__ import annotations

from collections.abc import Sequence

from monitoring.incidents.life_cycle import QUIET_WINDOWS, step_fact_recovery
from monitoring.records import Finding, IncidentEvent, IncidentRecord
from monitoring.traffic.windows import Window

#: The watch of such an incident.
FACT_WATCH = "schema"

#: Separates the inputs that such an incident names in its `slice`.
SEPARATOR = ", "

#: The recovery state of a new one: no window without the fact so far.
_INITIAL_RECOVERY = "0"


def inputs_of_fact(incident: IncidentRecord) -> tuple[str, ...]:
    """The inputs that such an incident names."""
    return tuple(incident.slice.split(SEPARATOR))


def advance_fact_incident(
    incident: IncidentRecord, findings: Sequence[Finding], window: Window, *, enough_rows: bool
) -> IncidentRecord:
    """Advance an incident that a fact opened by one window.

    Args:
        incident: The incident.
        findings: The window's findings.
        window: The window.
        enough_rows: Whether the window has enough rows to say that the fact is over. Too few show only that it is not.

    Returns:
        The incident, recovering or closed after windows without the fact.
    """
    seen = any(finding.fact and finding.feature in inputs_of_fact(incident) for finding in findings)
    if not seen and not enough_rows:
        return incident
    return step_fact_recovery(incident, seen=seen, now=window.end)


def open_fact_incidents(
    findings: Sequence[Finding], window: Window, *, current: Sequence[IncidentRecord], first_number: int
) -> tuple[IncidentRecord, ...]:
    """Open one incident for each kind of fact that no open incident has.

    >>> from datetime import UTC, datetime
    >>> day = Window(start=datetime(2013, 4, 1, tzinfo=UTC), end=datetime(2013, 4, 2, tzinfo=UTC))
    >>> gone = [Finding(kind="column gone", feature=name, message="", fact=True) for name in ("temp", "wind")]
    >>> [(one.number, one.slice, one.cause) for one in open_fact_incidents(gone, day, current=(), first_number=3)]
    [(3, 'temp, wind', 'column gone')]

    Args:
        findings: The window's findings.
        window: The window.
        current: The incidents that are not closed.
        first_number: The number of the next incident.

    Returns:
        Pages, each of which names every input that its fact is true of.
    """
    known = {name for incident in current if incident.watch == FACT_WATCH for name in inputs_of_fact(incident)}
    by_kind: dict[str, dict[str, Finding]] = {}
    for finding in findings:
        if finding.fact and finding.feature not in known:
            by_kind.setdefault(finding.kind, {})[finding.feature] = finding
    return tuple(
        IncidentRecord(
            number=first_number + place,
            level="page",
            state="open",
            opened_at=window.end,
            window_start=window.start,
            window_end=window.end,
            watch=FACT_WATCH,
            slice=SEPARATOR.join(facts),
            cause=kind,
            message=_message(kind, tuple(facts.values())),
            recovery=_INITIAL_RECOVERY,
            history=(IncidentEvent(at=window.end, state="open"),),
        )
        for place, (kind, facts) in enumerate(by_kind.items())
    )


def _message(kind: str, facts: Sequence[Finding]) -> str:
    """What is wrong, the next step, and when the page closes."""
    names = SEPARATOR.join(fact.feature for fact in facts if fact.feature)
    what = facts[0].message if len(facts) == 1 else f"{kind[0].upper()}{kind[1:]} for {len(facts)} inputs: {names}."
    source = f"the pipeline that fills {names}" if names else "the files of this window"
    return f"{what} Next step: check {source}; the page closes after {QUIET_WINDOWS} windows without this finding."
