"""Whether the files at a place are as they were."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from glob import has_magic
from pathlib import Path

#: The last bytes of a Parquet file.
_PARQUET_END = b"PAR1"


def files_state(place: Path | str) -> str:
    """What files are at a place: a digest of their names, sizes and times, which changes when any of them does.

    Cost: some 3 µs a file.

    Returns:
        SHA-256 in hexadecimal; empty for a URL, whose files are not looked at.
    """
    if not isinstance(place, Path):
        return ""
    digest = hashlib.sha256()
    for path in sorted(_files(place)):
        try:
            status = os.stat(path)  # noqa: PTH116 - a `Path` of each takes three times as long
        except OSError:  # it has just been moved
            continue
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def are_readable(places: Iterable[Path]) -> bool:
    """Whether there is something at each place that can be read: a file, or a folder.

    Of a Parquet file its end is looked at, too: a copy that was cut off has none. Cost: some 20 µs a place; of a
    pattern the first file counts.
    """
    return all(map(_is_readable, places))


def _is_readable(place: Path) -> bool:
    pattern = str(place)
    try:
        path = next(Path(place.anchor).glob(pattern.removeprefix(place.anchor)), None) if has_magic(pattern) else place
        if path is None or path.is_dir():
            return path is not None and os.access(path, os.R_OK | os.X_OK)
        with path.open("rb") as opened:
            size = opened.seek(0, os.SEEK_END)
            opened.seek(max(size - len(_PARQUET_END), 0))
            return not size or path.suffix != ".parquet" or opened.read() == _PARQUET_END
    except OSError:
        return False


def _files(place: Path) -> Iterator[str]:
    pattern = str(place)
    for path in Path(place.anchor).glob(pattern.removeprefix(place.anchor)) if has_magic(pattern) else [place]:
        if not path.is_dir():
            yield str(path)
        for folder, _, names in os.walk(path):
            yield from (os.path.join(folder, name) for name in names)  # noqa: PTH118 - as above
