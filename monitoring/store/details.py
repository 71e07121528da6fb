"""The numbers of an incident's cause as JSON text, whose floats come back exactly."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from monitoring.records import (
    CauseDetail,
    CauseRow,
    Condition,
    IncidentEvent,
    IncidentRecord,
    InputDrift,
    LossSplit,
    SlicePart,
    Subgroup,
)


def detail_text(detail: CauseDetail) -> str | None:
    """Write a detail for `detail_of`; None for an empty one. Raises ValueError for a number that is not finite."""
    if detail == CauseDetail():
        return None
    document = asdict(detail)
    document["rows"] = [{**asdict(row), "event_time": row.event_time.isoformat()} for row in detail.rows]
    if detail.subgroup is None:
        del document["subgroup"]  # as in stores of before
    return json.dumps(document, allow_nan=False)


def detail_of(text: str | None) -> CauseDetail:
    """The inverse of `detail_text`."""
    if text is None:
        return CauseDetail()
    document = json.loads(text)
    return CauseDetail(
        split=None if document["split"] is None else LossSplit(**document["split"]),
        parts=tuple(SlicePart(**part) for part in document["parts"]),
        inputs=tuple(InputDrift(**fields) for fields in document["inputs"]),
        rows=tuple(
            CauseRow(**{**row, "event_time": datetime.fromisoformat(row["event_time"])}) for row in document["rows"]
        ),
        subgroup=_subgroup(document.get("subgroup")),
    )


def _subgroup(document: dict[str, Any] | None) -> Subgroup | None:
    if document is None:
        return None
    return Subgroup(**{**document, "conditions": tuple(Condition(**fields) for fields in document["conditions"])})


def history_text(history: tuple[IncidentEvent, ...]) -> str:
    """An incident's history as JSON."""
    return json.dumps([[event.at.isoformat(), event.state] for event in history])


def history_of(text: str, incident: IncidentRecord) -> tuple[IncidentEvent, ...]:
    """The inverse of `history_text`; of an incident that was opened before histories were kept, from its own times."""
    events = json.loads(text)
    if events:
        return tuple(IncidentEvent(at=datetime.fromisoformat(at), state=state) for at, state in events)
    moments = ((incident.opened_at, "open"), (incident.acknowledged_at, "acknowledged"), (incident.closed_at, "closed"))
    return tuple(IncidentEvent(at=at, state=state) for at, state in moments if at is not None)  # type: ignore[arg-type]
