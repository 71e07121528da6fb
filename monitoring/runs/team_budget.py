"""The budget that a run shares with its deployment's team."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from monitoring.deployment.deployment import Deployment
from monitoring.deployment.fleet import Team
from monitoring.evidence.fleet import FleetShare, FleetStep
from monitoring.records import FleetEntry
from monitoring.records.state_names import FLEET, StateName
from monitoring.store.store import Store
from monitoring.traffic.windows import Window


class TeamBudget:
    """What a run knows and stores of its deployment's team, window by window; nothing where it is in none."""

    def __init__(self, store: Store, number: int, team: Team | None, states: Mapping[StateName, str]) -> None:
        """Takes up the evidence that the last window left."""
        self._store, self._number, self._team = store, number, team
        self._log_evidence = float.fromhex(states.get(FLEET) or (-math.inf).hex())

    def joined(self, deployment: Deployment, window: Window) -> Deployment:
        """The deployment with its facts held to the team's budget from a window on."""
        if self._team is None:
            self._store.fleets.leave(self._number)
            return deployment
        share = self._team.share(self._store, self._number, window.end)
        days = (window.end - window.start) / timedelta(days=1)
        return deployment.within_team(share.budget.threshold * share.members / days)

    def share(self, window: Window) -> FleetShare | None:
        """What the deployment knows of its team before a window."""
        if self._team is None:
            return None
        share = self._team.share(self._store, self._number, window.end)
        return replace(share, log_evidence=-math.inf if share.alarmed else self._log_evidence)

    def after(self, step: FleetStep | None, window: Window) -> tuple[dict[StateName, str], FleetEntry | None]:
        """What is stored of the team with a window, as states of the deployment and as the team's entry."""
        if step is None:
            return {}, None
        self._log_evidence = step.log_evidence
        entry = None if self._team is None else self._team.entry(self._number, step, window.end)
        return {FLEET: step.log_evidence.hex()}, entry
