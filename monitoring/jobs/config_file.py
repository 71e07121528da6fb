"""A config written for a bundle or a table, checked before it is put in place."""

from __future__ import annotations

from pathlib import Path

from monitoring.config import ConfigDraft, check_draft, render_config
from monitoring.errors import BadInput
from monitoring.jobs.deployment import deploy
from monitoring.jobs.staging import put_in_place, staging

NAME = "monitor.toml"


def write_config(draft: ConfigDraft, folder: Path, *, force: bool = False) -> Path:
    """Write `draft` as ``monitor.toml`` into `folder`, and give its path.

    It is checked as a run will check it, and the bundle's baseline is cut into windows once, before anything is
    put in its place. Raises BadInput if there is one already and `force` is not set, or if the draft does not fit the
    bundle; CannotRun if there is no such bundle or the folder cannot be written. Nothing is left behind then.
    """
    path = folder / NAME
    keep_existing(path, force=force)
    with staging(folder) as aside:  # first, as paths such as ../models need the folder that they start at
        deploy(check_draft(draft, folder))
        (aside / NAME).write_text(render_config(draft), encoding="utf-8")
        put_in_place(aside, (NAME,), folder)
    return path


def keep_existing(path: Path, *, force: bool) -> None:
    """Raises BadInput if there is a config already, unless it may be replaced."""
    if path.exists() and not force:
        raise BadInput(
            "There is a config already.",
            got=str(path),
            expected="no file of that name",
            fix="Use --force to replace it, or --out for another folder.",
        )


def as_written(path: Path, folder: Path) -> str:
    """A path as it stands in a config of `folder`: relative where it lies below, absolute otherwise.

    >>> as_written(Path("/srv/models/flights"), Path("/srv"))
    'models/flights'
    """
    there, base = path.absolute(), folder.absolute()
    return str(there.relative_to(base)) if there.is_relative_to(base) else str(there)
