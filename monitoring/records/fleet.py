"""What is stored of a team: the evidence of each of its deployments, and its pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetMember:
    """A deployment of a team."""

    deployment: int
    budget: str
    log_evidence: float
    alarmed: bool
    days: float
    counted_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFleetPage:
    """A page of a team."""

    deployment: int
    at: datetime
    budget: str
    log_evidence: float
    members: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetEntry:
    """What a window changes of a team. `log_evidence`: log of the deployment's evidence after it."""

    team: str
    budget: str
    at: datetime
    log_evidence: float
    alarmed: bool
    days: float
    page: StoredFleetPage | None = None
