"""The journal of a demo: its finished stages, so that an interrupted demo resumes."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from monitoring.atomic import SUFFIX, write_text
from monitoring.errors import BadInput, CannotRun

NAME = "demo.json"
FORMAT = 1

#: Everything that a demo writes to its folder, and that a fresh start deletes.
MADE = ("runs", "models", "traffic", "report", "monitor.toml", "pitfalls.db", "server.json", "server.log", NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The finished stages of a demo, stored in ``demo.json``.

    Attributes:
        folder: folder of the demo.
        settings: settings of the stages; a demo with other settings cannot resume.
        stages: results and seconds by stage.
    """

    folder: Path
    settings: dict[str, Any]
    stages: dict[str, dict[str, Any]]

    def finished(self, stage: str) -> bool:
        """Whether the stage is finished."""
        return stage in self.stages

    def with_stage(self, stage: str, seconds: float, found: dict[str, Any]) -> Journal:
        """Add a finished stage and write the journal."""
        stages = self.stages | {stage: {**found, "seconds": round(seconds, 1)}}
        journal = replace(self, stages=stages)
        document = {"format": FORMAT, "settings": self.settings, "stages": stages}
        write_text(self.folder / NAME, json.dumps(document, indent=1) + "\n")
        return journal


def open_journal(folder: Path, settings: dict[str, Any], *, fresh: bool) -> Journal:
    """Read the journal of a folder, or start one.

    Args:
        folder: folder of the demo; created if needed.

    Raises:
        BadInput: the folder has other files, a demo with other settings, or an unreadable journal.
        CannotRun: the folder cannot be written.
    """
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = path.is_file()
        if not there and any(not entry.name.endswith(SUFFIX) for entry in folder.iterdir()):
            raise BadInput(
                "The folder was not made by a demo.",
                got=f"{folder} with other files",
                expected="a new or empty folder, or the folder of an earlier demo",
                fix="Choose another folder with --out.",
            )
        if there and fresh:
            _clear(folder)
            there = False
        document = json.loads(path.read_text("utf-8")) if there else {"settings": settings, "stages": {}}
        if document["settings"] != settings:
            raise BadInput(
                "The folder has a demo with other settings.",
                got=f"{settings}",
                expected=f"{document['settings']}",
                fix="Choose another folder with --out, or start over with --fresh.",
            )
        journal = Journal(folder=folder, settings=settings, stages=document["stages"])
        if not there:
            write_text(path, json.dumps({"format": FORMAT, "settings": settings, "stages": {}}) + "\n")
    except OSError as error:
        raise CannotRun(
            "The demo's folder cannot be written.",
            got=f"{folder}: {error.strerror}",
            expected="a writable folder",
            fix="Choose another folder with --out.",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            "The demo's journal cannot be read.",
            got=f"{path}: {error}",
            expected="the journal of an earlier demo",
            fix="Delete the folder, or choose another one with --out.",
        ) from error
    return journal


def _clear(folder: Path) -> None:
    """Delete what a demo wrote, and nothing else."""
    for name in MADE:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in (*folder.glob("pitfalls.db-*"), *folder.glob(f".{NAME}*{SUFFIX}")):
        path.unlink()
