"""What this monitor says of a deployment's years at its defaults, kept until the monitor's code changes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import pandas as pd

from benchmarks.years.deployments import YearsDeployment
from monitoring import Monitor
from monitoring.records import AlarmCause, IncidentRecord
from monitoring.records.incident_order import part_of
from monitoring.sentences.incident_text import incident_text

#: The monitor's clock: after the last row.
LATER = datetime(2100, 1, 1, tzinfo=UTC)
EVERY = "7d"
CODE = Path(__file__).parents[2] / "monitoring"

About = Literal["harm", "volume", "data"]

#: Facts about how many rows or labels there are.
VOLUME = frozenset(
    {"traffic volume", "traffic volume unusual", "traffic volume changed", "fewer labels", "labels stopped"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An incident: when it was told and closed, what it is about, and its sentences.

    Attributes:
        week: Windows from the first live one to the one that told it, 1 and more.
        since: When what it tells began, as a date; empty where it does not say.
        inputs: The inputs that it names, in order.
    """

    number: int
    level: str
    about: About
    week: int
    opened: str
    closed: str
    since: str
    state: str
    sentence: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What was told, by the monitor's own budget.

    Attributes:
        budget: Windows for each page that is promised.
        windows: Judged windows.
        notes: What `init` says of the reference.
    """

    budget: float
    windows: int
    notes: tuple[str, ...]
    told: tuple[Told, ...]

    def pages(self, *about: About) -> tuple[Told, ...]:
        """Pages about this."""
        return tuple(each for each in self.told if each.level == "page" and each.about in about)


def watched(deployment: YearsDeployment, rows: pd.DataFrame, folder: Path) -> Watched:
    """What the monitor says of the live rows. Cost: a tenth of a second to a second for each week.

    Args:
        rows: Of the reference and after it, as of `scored`.
    """
    path = folder / f"watched-{code_digest()}.json"
    if path.is_file():
        document = json.loads(path.read_text("utf-8"))
        told = tuple(Told(**{**each, "inputs": tuple(each["inputs"])}) for each in document.pop("told"))
        return Watched(**{**document, "notes": tuple(document["notes"])}, told=told)
    is_live = rows["time"] >= pd.Timestamp(deployment.live, tz="UTC")
    scores = tuple(name for name in map(str, rows.columns) if name.startswith("p_"))
    monitor = Monitor.from_reference(
        rows[~is_live],
        event_time="time",
        label="label",
        label_time="label_time",
        prediction_id="row_id",
        scores=scores,
        classes=tuple(name.removeprefix("p_") for name in scores),
        every=EVERY,
        clock=lambda: LATER,
    )
    result = monitor.run(rows[is_live])
    found = Watched(
        budget=result.status.page_threshold,
        windows=len(result.windows),
        notes=monitor.notes,
        told=tuple(told_of(incident, deployment.first_week) for incident in result.incidents),
    )
    path.write_text(json.dumps(asdict(found), indent=1) + "\n", "utf-8")
    return found


def told_of(incident: IncidentRecord, first: date) -> Told:
    """An incident as a row of the page."""
    cause = incident.opening
    since = cause.since.start if isinstance(cause, AlarmCause) else None
    part = part_of(incident)
    about: About = "harm" if part == "losses" else "volume" if incident.fact in VOLUME else "data"
    inputs = tuple(each.input for each in incident.detail.inputs) or incident.subjects
    return Told(
        number=incident.number,
        level=incident.level,
        about=about,
        week=round((incident.window_end.date() - first).days / 7),
        opened=f"{incident.window_end:%Y-%m-%d}",
        closed="" if incident.closed_at is None else f"{incident.closed_at:%Y-%m-%d}",
        since="" if since is None else f"{since:%Y-%m-%d}",
        state=incident.state,
        sentence=" ".join(incident_text(incident).texts),
        inputs=inputs,
    )


def code_digest() -> str:
    """A digest of the monitor's code and this file: what was said is measured anew once one has changed."""
    digest = hashlib.sha256()
    for path in (Path(__file__), *sorted(CODE.rglob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
