"""The schema of a team's ledger: the evidence of all deployments of a store under one budget."""

from __future__ import annotations

from monitoring.documents.document import Document, Moment


class FleetMemberDocument(Document):
    """A deployment of the team: its number and name in the store, and its share of the team's evidence."""

    deployment: int
    name: str
    version: int
    share: float


class FleetPageDocument(Document):
    """A page of the team: when it was due, the team's evidence then, and the deployments that it names."""

    at: Moment
    evidence: float
    deployments: list[FleetMemberDocument]


class FleetDocument(Document):
    """The team's budget, its evidence after the last window, who has it, and the pages so far."""

    budget: str
    threshold: float
    until: Moment | None
    evidence: float
    members: int
    deployments: list[FleetMemberDocument]
    pages: list[FleetPageDocument]
