"""Moves a label of a server back to the previous version, in the server's model config file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

from monitoring.actions.version_label import LabelPlace, find_label, with_version
from monitoring.atomic import rewrite_text
from monitoring.config.action_section import ActionSection
from monitoring.errors import BadInput, CannotRun

#: Seconds between two looks at the server, and that one may take.
_EVERY, _ONE_LOOK = 0.5, 5.0

_LONGEST_ANSWER = 1 << 20


def roll_back(action: ActionSection, model: str, version: int, *, sleep: Callable[[float], None] = time.sleep) -> str:
    """Have a label name the version before the one of an incident.

    The version before is the highest lower one that the server says is available. Requests by the label go to it as
    soon as the server has read the file again; the function waits for that.

    Args:
        action: The action: the server's model config file, the label, the server's REST address, and a deadline.
        model: The model's name.
        version: The version of the incident: a label that names another one is left alone.
        sleep: Waits so many seconds.

    Returns:
        What was done, in a sentence.

    Raises:
        BadInput: The file cannot be used, or has no such label.
        CannotRun: The label names another version, the server does not answer or has no earlier version available, or
            it did not take the file in time.
    """
    file, label, server = _given(action)
    text = _read(file)
    place = find_label(text, model, label)
    if place.version != version:
        _refuse(label, place.version, version)
    address = f"{server}/v1/models/{quote(model, safe='')}"
    previous = _previous(_status(address), place)
    _write(file, with_version(text, place, previous))
    done = f"The label {label} of {model} went from version {place.version} to version {previous}"
    until = time.monotonic() + action.timeout.total_seconds()
    while time.monotonic() < until:
        if _named(f"{address}/labels/{quote(label, safe='')}") == previous:
            return f"{done}; the server has taken it."
        sleep(_EVERY)
    raise CannotRun(
        f"{done} in {file}, but the server has not taken it.",
        got=f"another version at that label after {action.timeout.total_seconds():g} s",
        expected=f"version {previous}",
        fix="Send the server SIGHUP, or start it with --model_config_file_poll_wait_seconds.",
    )


def _refuse(label: str, named: int, version: int) -> NoReturn:
    raise CannotRun(
        "The label does not name the version of this incident. Nothing was changed.",
        got=f"version {named} at the label {label}",
        expected=f"version {version}",
        fix="It was moved already, or the incident is of a version that is no longer asked for by this label.",
    )


def _given(action: ActionSection) -> tuple[Path, str, str]:
    if action.model_config_file is None or action.label is None or action.server is None:
        raise BadInput(
            "The action lacks what it needs.",
            got=action.name,
            expected="model_config_file, label and server",
            fix="Complete its [[action]] section.",
        )
    return action.model_config_file, action.label, action.server


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text in UTF-8"
        raise BadInput(
            "The model config file cannot be read.",
            got=f"{file} ({reason})",
            expected="the file of the server's --model_config_file",
            fix="Correct model_config_file in [[action]].",
        ) from error


def _write(file: Path, text: str) -> None:
    try:
        rewrite_text(file, text)
    except OSError as error:
        raise CannotRun(
            "The model config file cannot be written. Nothing was changed.",
            got=f"{file}: {error.strerror}",
            expected="a file in a folder that this user may write",
            fix="Give the user of the dashboard the right to write there, or move the label by hand.",
        ) from error


def _previous(versions: dict[int, str], place: LabelPlace) -> int:
    earlier = [number for number, state in versions.items() if number < place.version and state == "AVAILABLE"]
    if not earlier:
        raise CannotRun(
            "The server has no earlier version to go back to. Nothing was changed.",
            got=", ".join(f"{number} {state}" for number, state in sorted(versions.items())) or "no version",
            expected=f"an available version below {place.version}",
            fix="Have the server keep it: model_version_policy { all {} }, or { latest { num_versions: 2 } }.",
        )
    return max(earlier)


def _named(address: str) -> int | None:
    """The version that a label names, by its metadata; None while the server does not know it."""
    try:
        return int(_document(f"{address}/metadata")["model_spec"]["version"])
    except (CannotRun, ValueError, KeyError, TypeError):
        return None


def _status(address: str) -> dict[int, str]:
    """The states of the versions that a server has of a model."""
    try:
        return {int(one["version"]): str(one["state"]) for one in _document(address)["model_version_status"]}
    except (ValueError, KeyError, TypeError) as error:
        raise _unknown(address, "another answer") from error


def _document(address: str) -> Any:
    try:
        with build_opener(ProxyHandler({})).open(address, timeout=_ONE_LOOK) as answer:
            return json.loads(answer.read(_LONGEST_ANSWER))
    except HTTPError as error:
        raise _unknown(address, f"status {error.code}") from error
    except (URLError, OSError) as error:
        raise _unknown(address, str(getattr(error, "reason", error))) from error


def _unknown(address: str, got: str) -> CannotRun:
    return CannotRun(
        "The server does not say which versions it has. Nothing was changed.",
        got=f"{got} from {address}",
        expected="the status of the model, as TensorFlow Serving's REST API has it",
        fix="Correct server in [[action]], or start the server.",
    )
