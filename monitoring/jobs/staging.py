"""A staging folder for a monitor's files, so that an error leaves nothing behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from monitoring.atomic import publish, staging_folder
from monitoring.errors import CannotRun

PREFIX = ".init."


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A hidden folder in `out`, which is made where there is none.

    Yields:
        The hidden folder. It is deleted afterwards, and if the block raises, the folders that were made for it as well.

    Raises:
        CannotRun: the folder, or what the block writes into it, cannot be written.
    """
    folders = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with staging_folder(out, PREFIX) as aside:
            yield aside
    except BaseException as error:
        _remove_empty(folders)
        if isinstance(error, OSError):
            _refuse(out, error)
        raise


def put_in_place(aside: Path, names: Sequence[str], out: Path) -> None:
    """Move files and folders, each replacing one that is there.

    Raises:
        OSError: the disk fails; `out` has what it had before.
    """
    before = aside / "before"
    before.mkdir()
    try:
        for name in names:
            if (out / name).is_dir():
                (out / name).rename(before / name)
            elif (out / name).exists():  # a file is never away, not even for a moment
                shutil.copy2(out / name, before / name)
            publish(aside / name, out / name)
    except OSError:
        for name in names:
            if (before / name).exists():
                _remove(out / name)
                (before / name).replace(out / name)
            elif not (aside / name).exists():
                _remove(out / name)
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def _refuse(out: Path, error: OSError) -> NoReturn:
    raise CannotRun(
        "The monitor's folder cannot be written.",
        got=f"{out}: {error.strerror or error}",
        expected="a folder this user may write",
        fix="Give another folder with --out.",
    ) from error
