"""Moves a label of a server back to the previous version, from an incident's page."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NoReturn

from monitoring.actions.server_label import ServerLabel
from monitoring.config.action_section import ActionSection
from monitoring.errors import BadInput, CannotRun


def roll_back(action: ActionSection, model: str, version: int, *, sleep: Callable[[float], None] = time.sleep) -> str:
    """Have a label name the version before the one of an incident.

    The version before is the highest lower one that the server says is available. Requests by the label go to it as
    soon as the server has read the file again; the function waits for that.

    Args:
        action: The action: the server's model config file, the label, the server's REST address, and a deadline.
        version: The version of the incident: a label that names another one is left alone.
        sleep: Waits so many seconds.

    Raises:
        BadInput: The file cannot be used, or has no such label.
        CannotRun: The label names another version, the server does not answer or has no earlier version available, or
            it did not take the file in time.
    """
    place = _given(action, model)
    named = place.version()
    if named != version:
        _refuse(place.label, named, version)
    return place.move(_previous(place.states(), named), sleep=sleep)


def _refuse(label: str, named: int, version: int) -> NoReturn:
    raise CannotRun(
        "The label does not name the version of this incident. Nothing was changed.",
        got=f"version {named} at the label {label}",
        expected=f"version {version}",
        fix="It was moved already, or the incident is of a version that is no longer asked for by this label.",
    )


def _given(action: ActionSection, model: str) -> ServerLabel:
    if action.model_config_file is None or action.label is None or action.server is None:
        raise BadInput(
            "The action lacks what it needs.",
            got=action.name,
            expected="model_config_file, label and server",
            fix="Complete its [[action]] section.",
        )
    return ServerLabel(
        file=action.model_config_file,
        server=action.server,
        model=model,
        label=action.label,
        section="[[action]]",
        timeout=action.timeout,
    )


def _previous(versions: dict[int, str], named: int) -> int:
    earlier = [number for number, state in versions.items() if number < named and state == "AVAILABLE"]
    if not earlier:
        raise CannotRun(
            "The server has no earlier version to go back to. Nothing was changed.",
            got=", ".join(f"{number} {state}" for number, state in sorted(versions.items())) or "no version",
            expected=f"an available version below {named}",
            fix="Have the server keep it: model_version_policy { all {} }, or { latest { num_versions: 2 } }.",
        )
    return max(earlier)
