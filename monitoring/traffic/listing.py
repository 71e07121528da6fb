"""Which files hold the rows of a traffic log at this moment, each row in exactly one of them.

ROOT/open/SEGMENT.arrows                                              a segment being written, or not converted yet
ROOT/model=NAME/version=N/date=YYYY-MM-DD/SEGMENT.parquet             its rows once converted, by UTC date of event time
ROOT/labels/SEGMENT.arrows                                            labels

While `open/SEGMENT.arrows` exists it is the truth, and Parquet files of that segment are still in the making.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote, unquote

from monitoring.errors import BadInput
from monitoring.traffic.segments import segments_in

OPEN = "open"
LABELS = "labels"
PART_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The rows of one segment that belong to one date."""

    model: str
    version: int
    day: str  # YYYY-MM-DD; sorts as dates do
    segment: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The open segments and the parts of all others, in order of segments."""

    open: tuple[Path, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which parts are wanted; None is all. Dates are inclusive."""

    model: str | None = None
    version: int | None = None
    first: date | None = None
    last: date | None = None

    def wants(self, part_day: str) -> bool:
        """Whether a date (YYYY-MM-DD) is within the selection."""
        return not (
            (self.first is not None and part_day < self.first.isoformat())
            or (self.last is not None and part_day > self.last.isoformat())
        )


def model_folder(root: Path, model: str, version: int) -> Path:
    """Where the parts of a version are kept; the model's name is percent-encoded.

    >>> model_folder(Path("traffic"), "a/b", 3).as_posix()
    'traffic/model=a%2Fb/version=3'
    """
    return root / f"model={quote(model, safe='')}" / f"version={version}"


def check_root(root: Path) -> None:
    """Raises BadInput unless `root` is the folder of a traffic log."""
    if not root.is_dir():
        raise BadInput(
            "There is no such traffic log.",
            got=str(root) if not root.exists() else f"{root}, which is a file",
            expected="the folder that a server was given with --traffic",
            fix="Check the path.",
        )
    with os.scandir(root) as entries:
        names = [entry.name for entry in entries]
    if not any(name in (OPEN, LABELS) or name.startswith("model=") for name in names):
        raise BadInput(
            f"{root} is not a traffic log.",
            got=f"a folder with {', '.join(sorted(names)[:3])}" if names else "an empty folder",
            expected=f"a folder with {OPEN}/, {LABELS}/ or model=NAME/ in it",
            fix="Give the folder that a server was given with --traffic.",
        )


def list_traffic(root: Path, selection: Selection) -> Listing:
    """The files to read, so that no row is missing and none is there twice even while segments are being converted.

    A part seen once may be one of several that are still being made. But once its segment is gone all of them are
    there: so parts are listed, then the open segments, then the parts again, and of the second list only those count
    whose segments had been seen before.
    """
    seen = {path.stem for path in segments_in(root / OPEN)}
    seen |= {part.segment for part in _parts(root, selection)}
    unconverted = segments_in(root / OPEN)
    converted = seen - {path.stem for path in unconverted}
    parts = [part for part in _parts(root, selection) if part.segment in converted]
    return Listing(open=unconverted, parts=tuple(sorted(parts, key=lambda part: (part.segment, part.day))))


def parts_of(root: Path, selection: Selection, segment: str) -> tuple[Part, ...]:
    """The parts of one segment, complete once the segment itself is gone."""
    return tuple(part for part in _parts(root, selection) if part.segment == segment)


def _parts(root: Path, selection: Selection) -> list[Part]:
    return list(_each_part(root, selection))


def _each_part(root: Path, selection: Selection) -> Iterator[Part]:
    for model, model_path in _partitions(root, "model="):
        if selection.model not in (None, unquote(model)):
            continue
        for version, version_path in _partitions(model_path, "version="):
            if not version.removeprefix("-").isdecimal() or selection.version not in (None, int(version)):
                continue
            for day, day_path in _partitions(version_path, "date="):
                if not selection.wants(day):
                    continue
                for name in _names(day_path):
                    if name.endswith(PART_SUFFIX):
                        yield Part(
                            model=unquote(model),
                            version=int(version),
                            day=day,
                            segment=name.removesuffix(PART_SUFFIX),
                            path=day_path / name,
                        )


def _partitions(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for name in _names(folder):
        if name.startswith(prefix):
            yield name.removeprefix(prefix), folder / name


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
