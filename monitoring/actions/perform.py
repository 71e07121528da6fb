"""Performs an action for a person, and writes who did what and how it ended to the incident's log."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from monitoring.actions.command import run_program
from monitoring.actions.roll_back import roll_back
from monitoring.config import MonitorConfig
from monitoring.config.action_section import ActionSection
from monitoring.errors import BadInput, PitfallsError
from monitoring.records import IncidentAction, IncidentRecord
from monitoring.store.store import Store


def perform(
    config: MonitorConfig,
    store: Store,
    place: tuple[int, int],
    name: str,
    *,
    by: str,
    clock: Callable[[], datetime],
) -> tuple[bool, str]:
    """Perform an action of a config from an incident.

    Two rows are written to the incident's log, with the action's kind ``run``: that it was begun, which stays if this
    process is killed, and how it ended.

    Returns:
        Whether it was done, and the outcome in words.

    Raises:
        BadInput: There is no such action or incident.
    """
    action = next((one for one in config.action if one.name == name), None)
    if action is None:
        known = ", ".join(one.name for one in config.action)
        raise BadInput(
            "There is no such action.",
            got=name,
            expected=known or "an [[action]] section",
            fix="Add it to the config: actions are off by default.",
        )
    deployment, number = place
    incident = store.incidents.get(deployment, number)
    store.incidents.act(deployment, number, IncidentAction(at=clock(), by=by, kind="run", text=f"{name}: begun."))
    try:
        done, outcome = True, _outcome(action, (config, store.deployments.read(deployment).version), incident, by)
    except PitfallsError as error:
        done, outcome = False, f"failed. {error}"
    store.incidents.act(deployment, number, IncidentAction(at=clock(), by=by, kind="run", text=f"{name}: {outcome}"))
    return done, outcome


def _outcome(action: ActionSection, of: tuple[MonitorConfig, int], incident: IncidentRecord, by: str) -> str:
    config, version = of
    if action.command is None:
        return f"done. {roll_back(action, config.model.name, version)}"
    about = {
        "deployment": config.name,
        "model": config.model.name,
        "version": version,
        "incident": incident.number,
        "level": incident.level,
        "state": incident.state,
        "by": by,
    }
    said = run_program(action.command, json.dumps(about).encode() + b"\n", timeout=action.timeout.total_seconds())
    return f"done. It said: {said}" if said else "done."
