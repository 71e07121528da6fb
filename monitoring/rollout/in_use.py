"""Puts a version in use: moves a candidate's folder, the server's label, and what requests get that name no version."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from monitoring.actions.server_label import ServedModel, ServerLabel
from monitoring.actions.version_label import dropped_versions, labels_of, pinned_versions
from monitoring.atomic import sync_folder
from monitoring.config import MonitorConfig
from monitoring.config.sections import CANDIDATE
from monitoring.deployment.places import published_versions
from monitoring.errors import BadInput, CannotRun
from monitoring.records import RolloutRecord
from monitoring.rollout.rollout_settings import UNSERVED, setting
from monitoring.rollout.split.split_file import end_split, read_split

if TYPE_CHECKING:
    from monitoring.rollout.log.versions import Versions

#: What an error says that came before any change.
NOTHING = "Nothing was changed."

#: How long a server may take until it answers with a version.
TAKES = timedelta(seconds=120)


def check_policy(config: MonitorConfig, versions: Versions) -> None:
    """Raises BadInput where the server would not keep both versions side by side."""
    if versions.is_unserved and config.rollout.mode == "split":
        raise BadInput(
            "A split needs a candidate that servers answer with.",
            got=str(versions.bundle),
            expected=f"version {versions.candidate} in a folder of its number",
            fix='Export it without --candidate, with a policy that keeps both versions; or write mode = "shadow".',
        )
    place = server_label(config)
    if place is None:
        return
    if versions.is_unserved:
        _check_pinned(place, versions.champion)
        return
    why = dropped_versions(place.text(), place.model, (versions.champion, versions.candidate))
    if why:
        raise BadInput(
            "The server would not keep both versions.",
            got=f"{place.file}: {why}",
            expected=f"versions {versions.champion} and {versions.candidate} side by side, whatever arrives",
            fix=f"Write model_version_policy {{ specific {{ versions: {versions.champion} versions: "
            f"{versions.candidate} }} }}, or all {{}}.",
        )


def server_label(config: MonitorConfig) -> ServerLabel | None:
    """The label that a promotion moves; None where the config names no server."""
    section = config.rollout
    if section.model_config_file is None or section.server is None:
        return None
    return ServerLabel(
        file=section.model_config_file,
        server=section.server,
        model=config.model.name,
        label=section.label,
        section="[rollout]",
        timeout=TAKES,
    )


def _check_pinned(place: ServerLabel, champion: int) -> None:
    """Raises BadInput where the policy would take a version up as soon as its folder is there."""
    pinned = pinned_versions(place.text(), place.model)
    if champion not in pinned:
        raise BadInput(
            "The server would not wait for the label.",
            got=f"{place.file}: "
            + (f"a policy of the versions {', '.join(map(str, pinned))}" if pinned else "no versions"),
            expected=f"a policy that names version {champion}, so that policy and label are moved in one step",
            fix=f"Write model_version_policy {{ specific {{ versions: {champion} }} }}.",
        )


def put_in_use(config: MonitorConfig, record: RolloutRecord, to: int) -> str:
    """Put one of a rollout's versions in use, in the place of the other; idempotent.

    A candidate that no server takes up gets a folder of its number, or, taken back, loses it again. Where the config
    names a model config file, policy and label are rewritten in one step then, and it is waited for the server; where
    not, the folder is what a server goes by that takes the newest version. What cannot be promoted is put back. Of a
    candidate that is served already the label is moved, and what a split has said of requests that name no version.

    Returns:
        What was done, in sentences.

    Raises:
        BadInput: The config does not say what to move.
        CannotRun: Something else is in use than this rollout says, or the server does not follow.
    """
    place, file = server_label(config), config.rollout.split_file
    expected = record.champion if to == record.candidate else record.candidate
    if setting(record.settings, UNSERVED):
        return _promoted(config, record, place) if to == record.candidate else _taken_back(config, record, place)
    is_split = file is not None and read_split(file) is not None
    if place is None and not is_split:
        raise BadInput(
            "The config does not say which label a promotion moves.",
            got="no model_config_file and no server in the [rollout] section",
            expected="both, or a candidate of `pitfalls export --candidate`",
            fix='Write model_config_file = "models.config" and server = "http://127.0.0.1:8501" there.',
        )
    sentences = [] if place is None else [_move_label(place, expected, to)]
    if file is not None and is_split:
        end_split(file, to)
        sentences.append(f"Requests that name none get version {to}, as {file} says.")
    return " ".join(sentences)


def _promoted(config: MonitorConfig, record: RolloutRecord, place: ServerLabel | None) -> str:
    """Give a candidate a folder of its number, and have it answer."""
    served = config.model.folder / str(record.candidate)
    unserved = served.with_name(f"{served.name}{CANDIDATE}")
    before = "" if place is None else place.text()
    if place is None:
        _check_newest(served.parent, published_versions(served.parent), record.candidate)
    elif _named(place, record.champion, record.candidate) != record.candidate:
        _check_pinned(place, record.champion)
        _check_other_labels(place, record.candidate)
    _rename(unserved, served)
    try:
        return _moved(config, record.candidate) if place is None else place.put_in_use(record.candidate)
    except CannotRun:  # a server that cannot load it, for example, must not meet it at its next start
        if place is not None:
            place.rewrite(before)
        _rename(served, unserved)
        raise


def _taken_back(config: MonitorConfig, record: RolloutRecord, place: ServerLabel | None) -> str:
    """Have the former champion answer, and make the version that was promoted a candidate again."""
    served = config.model.folder / str(record.candidate)
    if place is None:
        others = published_versions(served.parent).keys() - {record.candidate}
        _check_newest(served.parent, others, record.champion)
    else:
        _named(place, record.candidate, record.champion)
    done = "" if place is None else place.put_in_use(record.champion)
    _rename(served, served.with_name(f"{served.name}{CANDIDATE}"), done=done or NOTHING)
    return done or _moved(config, record.champion)


def _rename(source: Path, target: Path, *, done: str = NOTHING) -> None:
    """Rename a version's folder, unless that has been done. Raises CannotRun where it cannot be."""
    if target.is_dir() and not source.is_dir():
        return
    try:
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        source.rename(target)
        sync_folder(source.parent)
    except OSError as error:
        raise CannotRun(
            f"The folder of the version cannot be renamed. {done}",
            got=f"{source} to {target.name}: {error.strerror}",
            expected="a candidate in a folder that this user may write, whose number is free",
            fix="Export it again as a candidate, and begin another rollout; or change the permissions.",
        ) from error


def _moved(config: MonitorConfig, version: int) -> str:
    """Wait until the server that the config names answers with a version; without one, say what servers will do."""
    model, server = config.model, config.rollout.server
    done = f"Version {version} is the newest in {model.folder}"
    if server is None:
        return f"{done}: servers that take the newest answer with it from their next look at the folder."
    served = ServedModel(server=server, model=model.name, section="[rollout]")
    if not served.waits_for(version, [None], TAKES):
        raise CannotRun(
            f"{done}, but the server has not taken it.",
            got=f"version {served.named(None) or 'unknown'} for requests that name none, after {TAKES.seconds} s",
            expected=f"version {version}, from a server of {model.folder} without a policy of its own",
            fix="See what the server says of the version; or name its model_config_file in the [rollout] section.",
        )
    return f"{done}; the server answers with it where a request names no version."


def _check_newest(folder: Path, served: Collection[int], version: int) -> None:
    """Raises CannotRun where a server that takes the newest version would not take this one."""
    newest = max(served, default=version)
    if newest > version:
        raise CannotRun(
            "A newer version is there, which servers take. Nothing was changed.",
            got=f"version {newest} in {folder}",
            expected=f"none above version {version}",
            fix="End this rollout (`pitfalls rollout stop`); move that version out, or compare with it.",
        )


def _check_other_labels(place: ServerLabel, version: int) -> None:
    """Raises CannotRun where another label keeps a newer version, which requests that name none would get."""
    above = [f"{label} names {number}" for label, number in labels_of(place.text(), place.model) if number > version]
    if above:
        raise CannotRun(
            "Another label keeps a newer version. Nothing was changed.",
            got=f"{place.file}: {', '.join(above)}",
            expected=f"no label above version {version}, which requests that name none are to get",
            fix="Remove that label, or move it.",
        )


def _named(place: ServerLabel, expected: int, to: int) -> int:
    """The version that the label names. Raises CannotRun where it is neither."""
    named = place.version()
    if named not in {expected, to}:  # it names the other one where a process died before it kept what it had done
        raise CannotRun(
            "The label does not name the version that is in use by this rollout. Nothing was changed.",
            got=f"version {named} at the label {place.label}",
            expected=f"version {expected}",
            fix="Somebody has moved it; end this rollout (`pitfalls rollout stop`), and begin another.",
        )
    return named


def _move_label(place: ServerLabel, expected: int, to: int) -> str:
    _named(place, expected, to)
    states = place.states()
    if states.get(to) != "AVAILABLE":
        raise CannotRun(
            "The server does not have the version that the label is to name. Nothing was changed.",
            got=f"version {to} is {states.get(to, 'unknown')}",
            expected="AVAILABLE",
            fix="Have the server load it: model_version_policy { specific { … } } or { all {} }.",
        )
    return place.move(to)
