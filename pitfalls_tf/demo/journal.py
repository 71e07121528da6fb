"""What a demo's folder has behind it, so that the next call goes on from there."""

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

#: All that a demo makes in its folder, and so all that a fresh start takes away.
MADE = ("runs", "models", "traffic", "report", "monitor.toml", "pitfalls.db", "server.json", "server.log", NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The stages that are finished, each with its seconds and what it found; kept in ``demo.json``.

    `settings` are those the stages were run with: with others they do not count.
    """

    folder: Path
    settings: dict[str, Any]
    stages: dict[str, dict[str, Any]]

    def finished(self, stage: str) -> bool:
        """Whether the stage need not be run again."""
        return stage in self.stages

    def with_stage(self, stage: str, seconds: float, found: dict[str, Any]) -> Journal:
        """The journal with one more finished stage, written to disk."""
        stages = self.stages | {stage: {**found, "seconds": round(seconds, 1)}}
        journal = replace(self, stages=stages)
        document = {"format": FORMAT, "settings": self.settings, "stages": stages}
        write_text(self.folder / NAME, json.dumps(document, indent=1) + "\n")
        return journal


def open_journal(folder: Path, settings: dict[str, Any], *, fresh: bool) -> Journal:
    """The journal of a folder: read, or begun.

    Raises BadInput for a folder that holds something else or a demo of other settings, CannotRun for one that cannot
    be written.
    """
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = path.is_file()
        if not there and any(not entry.name.endswith(SUFFIX) for entry in folder.iterdir()):
            raise BadInput(
                "The folder is not a demo's.",
                got=f"{folder}, which holds other files",
                expected="a new or empty folder, or one where a demo ran",
                fix="Give another folder with --out.",
            )
        if there and fresh:
            _clear(folder)
            there = False
        document = json.loads(path.read_text("utf-8")) if there else {"settings": settings, "stages": {}}
        if document["settings"] != settings:
            raise BadInput(
                "The folder holds a demo of other settings.",
                got=f"{settings}",
                expected=f"{document['settings']}",
                fix="Give another folder with --out, or start over with --fresh.",
            )
        journal = Journal(folder=folder, settings=settings, stages=document["stages"])
        if not there:
            write_text(path, json.dumps({"format": FORMAT, "settings": settings, "stages": {}}) + "\n")
    except OSError as error:
        raise CannotRun(
            "The demo's folder cannot be written.",
            got=f"{folder}: {error.strerror}",
            expected="a folder this user may write",
            fix="Give another folder with --out.",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            "The demo's journal cannot be read.",
            got=f"{path}: {error}",
            expected="what an earlier demo wrote",
            fix="Remove the folder, or give another one with --out.",
        ) from error
    return journal


def _clear(folder: Path) -> None:
    """Take away what a demo made, and nothing else."""
    for name in MADE:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in (*folder.glob("pitfalls.db-*"), *folder.glob(f".{NAME}*{SUFFIX}")):
        path.unlink()
