"""Writing a config file, checked before it replaces another."""

from __future__ import annotations

from pathlib import Path

from monitoring.config import ConfigDraft, check_draft, render_config
from monitoring.errors import BadInput
from monitoring.jobs.deployment import deploy
from monitoring.jobs.staging import put_in_place, staging

NAME = "monitor.toml"


def write_config(draft: ConfigDraft, folder: Path, *, force: bool = False) -> Path:
    """Write ``monitor.toml``.

    The draft is checked as a run will check it, and every watch is fitted once, before the file is written.

    Args:
        draft: the config.
        folder: the folder to write into.
        force: whether a config that is there already is replaced.

    Returns:
        The path of the file.

    Raises:
        BadInput: there is a config already, or the draft does not fit the bundle.
        CannotRun: there is no such bundle, or the folder cannot be written. Nothing is left behind then.
    """
    path = folder / NAME
    keep_existing(path, force=force)
    with staging(folder) as aside:  # first: relative paths such as ../models need the folder
        deploy(check_draft(draft, folder))
        (aside / NAME).write_text(render_config(draft), encoding="utf-8")
        put_in_place(aside, (NAME,), folder)
    return path


def keep_existing(path: Path, *, force: bool) -> None:
    """Refuse to replace a config that is there already.

    Raises:
        BadInput: there is one, and `force` is not set.
    """
    if path.exists() and not force:
        raise BadInput(
            "There is a config already.",
            got=str(path),
            expected="no file of that name",
            fix="Use --force to replace it, or --out for another folder.",
        )


def as_written(path: Path, folder: Path) -> str:
    """A path as a config in `folder` writes it: relative where it lies below the folder, absolute otherwise.

    >>> as_written(Path("/srv/models/flights"), Path("/srv"))
    'models/flights'

    Returns:
        The path as text.
    """
    there, base = path.absolute(), folder.absolute()
    return str(there.relative_to(base)) if there.is_relative_to(base) else str(there)
