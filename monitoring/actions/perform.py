"""Performs an action for a person, and writes who did what and how it ended to the incident's log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from tempfile import TemporaryFile
from typing import NoReturn

from monitoring.actions.server_label import ServerLabel
from monitoring.config import MonitorConfig
from monitoring.config.action_section import ActionSection
from monitoring.errors import BadInput, CannotRun, PitfallsError
from monitoring.notifications.routes.command import PASSED
from monitoring.records import IncidentAction, IncidentRecord
from monitoring.store.store import Store


def roll_back(action: ActionSection, model: str, version: int, *, sleep: Callable[[float], None] = time.sleep) -> str:
    """Have a label name the version before the one of an incident.

    The version before is the highest lower one that the server says is available. Requests by the label go to it as
    soon as the server has read the file again; the function waits for that.
    """
    place = _server_label(action, model)
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


def _server_label(action: ActionSection, model: str) -> ServerLabel:
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


#: Bytes of the output that are kept, from its end.
KEPT = 2_000


def run_program(command: Sequence[str], text: bytes, *, timeout: float, environ: Mapping[str, str] = os.environ) -> str:
    """Run a program to its end. Returns the end of its output and errors, `KEPT` bytes at most.

    Args:
        command: The program and its arguments; no shell is involved, and nothing from traffic is among them.
        timeout: Seconds after which it is killed, with all that it has started in its own session.
    """
    with TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={name: environ[name] for name in PASSED if name in environ},
                start_new_session=True,
            )
        except OSError as error:
            _fail(command, f"it cannot be started: {error.strerror}", "", error)
        with process:
            try:
                process.communicate(text, timeout=timeout)
            except subprocess.TimeoutExpired as error:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                _fail(command, f"it was not finished within {timeout:g} s and was killed", "", error)
        output.seek(max(0, output.seek(0, os.SEEK_END) - KEPT))
        output_text = output.read().decode("utf-8", "replace").strip()
    if process.returncode:
        _fail(command, f"exit status {process.returncode}", output_text)
    return output_text


def _fail(command: Sequence[str], reason: str, output: str, cause: Exception | None = None) -> NoReturn:
    raise CannotRun(
        f"{command[0]} failed.",
        got=reason + (f"; it said: {output}" if output else ""),
        expected="exit status 0",
        fix="Run it by hand on this machine.",
    ) from cause


def perform(
    config: MonitorConfig, store: Store, place: tuple[int, int], name: str, *, by: str, clock: Callable[[], datetime]
) -> tuple[bool, str]:
    """Perform an action of a config from an incident.

    Two rows are written to the incident's log, with the action's kind ``run``: that it was begun, which stays if this
    process is killed, and how it ended.
    """
    action = next((action for action in config.action if action.name == name), None)
    if action is None:
        names = ", ".join(action.name for action in config.action)
        raise BadInput(
            "There is no such action.",
            got=name,
            expected=names or "an [[action]] section",
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
    output = run_program(action.command, json.dumps(about).encode() + b"\n", timeout=action.timeout.total_seconds())
    return f"done. It said: {output}" if output else "done."
