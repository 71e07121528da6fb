"""Follows the file that says how requests are split."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from monitoring.errors import BadInput
from monitoring.rollout.split.split_file import Split, read_split
from serving.models.versions import Models
from serving.split.routing import split_by_model


class SplitFile:
    """Reads the file again when it changes, and has the models split by it. `file`: the file; there may be none yet."""

    def __init__(self, file: Path, models: Models, report: Callable[[str], None]) -> None:
        self._file = file
        self._models = models
        self._report = report
        self._split: Split | None = None
        self._problem = ""

    def poll(self) -> None:
        """Look at the file once. One that cannot be read changes nothing, and is reported once."""
        try:
            split = read_split(self._file)
        except BadInput as error:
            if str(error) != self._problem:
                self._problem = str(error)
                self._report(f"{error} Requests are split as before.")
            return
        self._problem = ""
        if split == self._split:
            return
        self._split = split
        self._models.splits = split_by_model([split])
        if split is None:
            self._report("Requests are not split between versions any more: the newest version answers.")
        elif split.is_over:
            self._report(f"Version {split.champion} of {split.model} answers requests that name none.")
        else:
            self._report(
                f"Version {split.candidate} of {split.model} answers {split.share:.1%} of requests that name none, "
                f"version {split.champion} the others."
            )
