"""A version folder is written to a staging folder and renamed into place, so that a server never sees half of one.

The staging folder's name, MODELS/NAME/.export-XXXX, is not a number, so no server looks into it. One that a killed
export left behind is deleted by the next; see `monitoring.atomic`.
"""

from __future__ import annotations

import errno
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, final

from monitoring.atomic import publish, staging_folder, sync_folder
from monitoring.errors import CannotRun
from serving.models.version_folders import LARGEST_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PREFIX = ".export-"
# What renaming onto a folder with something in it, or onto a file, fails with.
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}


@final
class StagedVersion:
    """A folder to write a version in, which `publish` moves to the next free number."""

    def __init__(self, model: Path, folder: Path) -> None:
        self._model = model
        self.folder = folder
        """Where to write."""

    def publish(self) -> Path:
        """Make everything written durable, take the next free number, and rename.

        Two that publish at once get two numbers: renaming onto a version that has just appeared fails.

        Raises:
            CannotRun: there is no number left.
            OSError: the disk fails; there is no new version.
        """
        while True:
            target = self._model / str(_next_version(self._model))
            try:
                publish(self.folder, target)
            except OSError as error:
                if error.errno not in _TAKEN:
                    raise
                continue
            sync_folder(self._model.parent)
            return target


@contextmanager
def staged_version(model: Path) -> Iterator[StagedVersion]:
    """An empty staging folder in MODELS/NAME, deleted at the end with whatever was not published.

    Args:
        model: The folder MODELS/NAME; it is made where there is none.

    Raises:
        CannotRun: nothing can be written there.
    """
    with ExitStack() as stack:
        try:
            model.mkdir(parents=True, exist_ok=True)
            folder = stack.enter_context(staging_folder(model, PREFIX))
        except OSError as error:
            raise CannotRun(
                "The models folder cannot be written.",
                got=f"{model}: {error.strerror}",
                expected="a folder this user may write",
                fix="Name another with --models, or change its permissions.",
            ) from error
        yield StagedVersion(model, folder)


def _next_version(model: Path) -> int:
    """One more than the largest number in the folder, whether or not it is a version."""
    names = [path.name for path in model.iterdir()]
    numbers = [int(name) for name in names if name.isascii() and name.isdecimal()]
    version = max((number for number in numbers if number <= LARGEST_VERSION), default=0) + 1
    if version > LARGEST_VERSION:
        raise CannotRun(
            "There is no number left for a new version.",
            got=f"version {LARGEST_VERSION} in {model}",
            expected="a smaller one",
            fix="Rename that version, or export under another name.",
        )
    return version
