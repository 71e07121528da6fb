"""What is made for a config: beside it, or in the state folder where its own folder cannot be written."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from pathlib import Path

from monitoring.atomic import rewrite_text, write_text
from monitoring.errors import CannotRun

SECTION = "baseline"


def is_read_only(path: Path) -> bool:
    """Whether the folder of a config cannot be written."""
    return not os.access(path.absolute().parent, os.W_OK)


def name_of(path: Path) -> str:
    """A name for what is made for a config, which no other config on this machine has."""
    whole = path.absolute()
    return f"{whole.parent.name}-{hashlib.sha256(str(whole).encode()).hexdigest()[:12]}"


def made_beside(path: Path) -> Path:
    """The folder in which files are made for a config: its own, or one in the state folder.

    Raises:
        CannotRun: Its own cannot be written, and there is no state folder.
    """
    return state_folder() / "configs" / name_of(path) if is_read_only(path) else path.absolute().parent


def kept_file(path: Path) -> Path | None:
    """The file that has a section for a config whose folder cannot be written; None where there is none."""
    if not is_read_only(path):
        return None
    try:
        beside = made_beside(path) / f"{SECTION}.toml"
    except CannotRun:  # without a state folder nothing is kept
        return None
    return beside if beside.is_file() else None


def with_kept_section(path: Path, text: str) -> str:
    """A config's text with the section [baseline] that was made for it, if its folder cannot be written.

    A section that was made in the place of another one than the file has now holds no longer: the file was changed.
    """
    section_path = kept_file(path)
    if section_path is None:
        return text
    from monitoring.config.config_text import section_of, with_section  # noqa: PLC0415 - brings tomlkit

    try:
        section_text = section_path.read_text(encoding="utf-8")
        of_file, own_section = tomllib.loads(section_text), tomllib.loads(text).get(SECTION, {})
        holds = tomllib.loads(of_file["in_place_of"]).get(SECTION, {}) == own_section
    except (OSError, ValueError, KeyError, AttributeError):  # the config's own errors are told where it is parsed
        return text
    return with_section(text, SECTION, section_of(section_text, SECTION)) if holds else text


def write_section(path: Path, text: str, section: str) -> None:
    """Put a section [baseline] into a config, or into the file that is kept for one whose folder cannot be written."""
    from monitoring.config.config_text import section_of, with_section  # noqa: PLC0415 - brings tomlkit

    if not is_read_only(path):
        rewrite_text(path, with_section(text, SECTION, section))
        return
    own_section, section_path = section_of(text, SECTION), made_beside(path) / f"{SECTION}.toml"
    if section.strip() == own_section.strip():
        section_path.unlink(missing_ok=True)
        return
    section_path.parent.mkdir(parents=True, exist_ok=True)
    head = f"# The section [{SECTION}] of {path.absolute()}, whose folder cannot be written.\n"
    write_text(section_path, f"{head}in_place_of = {json.dumps(own_section)}\n\n{section}")


def state_folder() -> Path:
    """The folder in which this user's monitors keep what has to outlive their configs, or cannot be beside them.

    Returns:
        `$XDG_STATE_HOME/pitfalls`, by default `~/.local/state/pitfalls`.
    """
    try:
        return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state", "pitfalls")
    except RuntimeError as error:
        raise CannotRun(
            "There is no folder for what has to outlive the configs.",
            got=str(error),
            expected="a home, or the variable XDG_STATE_HOME",
            fix="Set XDG_STATE_HOME; for a service, --state names one too.",
        ) from error
