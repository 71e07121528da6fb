"""Fits of baselines that a run of the tests makes once: what a config and a baseline come to is the same in any folder.

A fit is named by the digest of all that it depends on, so whichever test needs it first makes it, of any process.
"""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import MonitorConfig
from monitoring.fits.fit_folder import FitFolder, fit_folder


class SharedFits(FitFolder):
    """A deployment's own folder of fits, which takes those that it lacks from one that all share."""

    def __init__(self, path: Path, shared: Path) -> None:
        super().__init__(path)
        self.shared = shared

    def read(self, digest: str) -> Any | None:
        """The value of a digest, kept from now on as if this deployment had made it."""
        path = self._file(digest)
        if not path.exists() and (self.shared / path.name).exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _copy(self.shared / path.name, path)
        return super().read(digest)

    def write(self, digest: str, value: object) -> None:
        """Keep a value in both folders."""
        super().write(digest, value)
        path = self._file(digest)
        if path.exists():
            _copy(path, self.shared / path.name)


def share_fits(patch: pytest.MonkeyPatch, shared: Path) -> None:
    """Have deployments of this process share what is in a folder."""
    shared.mkdir(mode=0o700, exist_ok=True)
    patch.setattr("monitoring.deployment.deployment.fit_folder", partial(_folder, shared=shared))


def _folder(config: MonitorConfig, shared: Path) -> FitFolder:
    return SharedFits(fit_folder(config).path, shared)


def _copy(source: Path, target: Path) -> None:
    """Copy a whole file, which no other process sees in part."""
    aside = target.with_suffix(f".{os.getpid()}")
    shutil.copy(source, aside)
    aside.replace(target)
