"""The schema of a team's ledger: the evidence of all deployments of a store under one budget."""

from __future__ import annotations

from monitoring.documents.document import Document, Moment


class FleetMemberDocument(Document):
    """A deployment of the team: its number and name in the store, and its share of the team's evidence."""

    deployment: int
    name: str
    version: int
    share: float


class FleetSpentDocument(Document):
    """What a deployment took of the budget, in days, and how many pages of the team name it."""

    deployment: int
    name: str
    version: int
    days: float
    pages: int


class FleetPageDocument(Document):
    """A page of the team: when it was due, the team's evidence then, and the deployments that it names."""

    at: Moment
    evidence: float
    deployments: list[FleetMemberDocument]


class FleetDocument(Document):
    """The team's budget, its evidence after the last window, who has it, and the pages so far.

    `team` is null where no run keeps to the budget, and the document says what would have been. `spent` has what each
    deployment's windows took of the budget in days, over `threshold` the pages that they may have cost without harm.
    """

    budget: str
    threshold: float
    until: Moment | None
    evidence: float
    members: int
    deployments: list[FleetMemberDocument]
    pages: list[FleetPageDocument]
    team: str | None
    spent: list[FleetSpentDocument]


class ConfigRunDocument(Document):
    """A run of one config: its windows, the pages that are open, and why it failed; null: it did not."""

    config: str
    windows: int
    open_pages: int
    error: str | None


class ConfigRunsDocument(Document):
    """A run of many configs, in the order of their paths; `not_run` counts those that a stop left out."""

    configs: list[ConfigRunDocument]
    not_run: int
