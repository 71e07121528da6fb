"""Which files hold the rows of a traffic log at this moment, each row in exactly one of them.

While `open/SEGMENT.arrows` exists it is the truth, and Parquet files of that segment are still being written. While a
part is in the log's folder it is the truth, and a file of its name in the archive may still be being written. See
`monitoring.traffic.format.layout` for the folders.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pyarrow.parquet as pq

from monitoring.atomic import write_text
from monitoring.errors import BadInput
from monitoring.traffic.format.layout import ARCHIVE, OPEN, PART_SUFFIX, QUARANTINE
from monitoring.traffic.format.segments import segments_in
from monitoring.traffic.remote.file_store import FileStore
from monitoring.traffic.remote.inventory import INVENTORY

#: As many dates are looked up, rather than searched for among all that a log has.
LOOKED_UP = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFile:
    """The rows of one segment that belong to one date."""

    model: str
    version: int
    day: str  # YYYY-MM-DD; sorts as dates do; empty in quarantine
    segment: str
    path: Path  # on this machine, where it is or was before it was moved
    store: FileStore | None = None  # the log's archive, if it has one

    @property
    def key(self) -> str:
        """Its path below the log, or below the archive's URL."""
        return "/".join(self.path.parts[-4:])

    def open(self, **options: Any) -> pq.ParquetFile:
        """Open the file, here or in the archive. `options`: of `pyarrow.parquet.ParquetFile`.

        Raises:
            CannotRun: the archive cannot be read.
            FileNotFoundError: the file is gone, and there is no archive.
            OSError: the local file cannot be read.
        """
        try:
            return pq.ParquetFile(self.path, **options)
        except FileNotFoundError:
            if self.store is None:
                raise
            return self.store.parquet(self.key, **options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The open segments, and the parts of all other segments in order of segments."""

    open: tuple[Path, ...]
    parts: tuple[PartFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which parts to list; None is all. Dates are inclusive; those in quarantine, which have none, come alone."""

    model: str | None = None
    version: int | None = None
    first: date | None = None
    last: date | None = None
    quarantined: bool = False

    @property
    def days(self) -> tuple[str, ...] | None:
        """The dates, where they are so few that each is looked up; None: the folders are listed."""
        if self.first is None or self.last is None or (self.last - self.first).days >= LOOKED_UP:
            return None
        return tuple((self.first + timedelta(days=day)).isoformat() for day in range((self.last - self.first).days + 1))

    def wants(self, part_day: str) -> bool:
        """Whether a date (YYYY-MM-DD) is in the selection."""
        return not (
            (self.first is not None and part_day < self.first.isoformat())
            or (self.last is not None and part_day > self.last.isoformat())
        )


def read_archive(root: Path) -> FileStore | None:
    """The archive that ROOT/archive.json names.

    Returns:
        The store to which the log's parts are moved; None if they are not.
    """
    try:
        text = (root / ARCHIVE).read_text("utf-8")
    except FileNotFoundError:
        return None
    try:
        return FileStore(json.loads(text)["url"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(
            f"{root / ARCHIVE} cannot be read.",
            got=repr(text[:60]),
            expected='{"url": "s3://BUCKET/traffic"}',
            fix="Write the URL of the log's archive into it.",
        ) from None


def write_archive(root: Path, store: FileStore) -> None:
    """Make readers look for parts in a store, too.

    Raises:
        OSError: the disk fails.
    """
    write_text(root / ARCHIVE, json.dumps({"url": store.url}))


def list_traffic(root: Path, selection: Selection) -> Listing:
    """The files to read, so that no row is missing and none is read twice, even while segments are converted and moved.

    A part seen once may be one of several that are still being written. But once its segment is gone all of them are
    there: so parts are listed, then the open segments, then the parts again, and of the second list only those count
    whose segments had been seen before. The archive is listed last: a part that is no longer in the second list was
    moved there before. Parts that only the archive has belong to closed segments.

    Returns:
        Open segments and parts, each row in exactly one of them.
    """
    stems = {path.stem for path in segments_in(root / OPEN)}
    stems |= {part.segment for part in local_parts(root, selection)}
    unconverted = segments_in(root / OPEN)
    converted = stems - {path.stem for path in unconverted}
    here = local_parts(root, selection)
    store = read_archive(root)
    parts = {part.key: replace(part, store=store) for part in here if part.segment in converted}
    if store is not None:
        unfinished = {part.segment for part in here} - converted
        unfinished |= {path.stem for path in unconverted}
        there = (part for part in _archived(root, store, selection) if part.segment not in unfinished)
        parts = {part.key: part for part in there} | parts
    return Listing(open=unconverted, parts=tuple(sorted(parts.values(), key=lambda part: (part.segment, part.day))))


def parts_of(root: Path, selection: Selection, segment: str) -> tuple[PartFile, ...]:
    """The parts of one segment, complete once the segment itself is gone."""
    store = read_archive(root)
    here = (replace(part, store=store) for part in local_parts(root, selection))
    parts = {part.key: part for part in here if part.segment == segment}
    if store is not None:
        there = (part for part in _archived(root, store, selection) if part.segment == segment)
        parts = {part.key: part for part in there} | parts
    return tuple(parts.values())


def local_parts(root: Path, selection: Selection) -> list[PartFile]:
    """The parts on this machine, finished or not."""
    return list(_each_part(root, selection))


def _archived(root: Path, store: FileStore, selection: Selection) -> Iterator[PartFile]:
    """The parts in the archive. The narrowest folder that the selection allows is listed."""
    under = ""
    third = QUARANTINE if selection.quarantined else "date="
    if selection.model is not None:
        under = f"model={quote(selection.model, safe='')}"
        under += "" if selection.version is None else f"/version={selection.version}"
    for key in INVENTORY.keys(root / ARCHIVE, store, under):
        names = key.split("/")
        prefixes = ("model=", "version=", third)
        if len(names) != len(prefixes) + 1 or not names[-1].endswith(PART_SUFFIX):
            continue
        if not all(name.startswith(prefix) for name, prefix in zip(names, prefixes, strict=False)):
            continue
        model, version, day = (name.partition("=")[2] for name in names[:3])
        wanted = selection.version is None or version == str(selection.version)
        if wanted and version.removeprefix("-").isdecimal() and (selection.quarantined or selection.wants(day)):
            yield PartFile(
                model=unquote(model),
                version=int(version),
                day=day,
                segment=names[-1].removesuffix(PART_SUFFIX),
                path=root / key,
                store=store,
            )


def _each_part(root: Path, selection: Selection) -> Iterator[PartFile]:
    def of_model(name: str) -> bool:
        return selection.model in (None, unquote(name))

    def of_version(name: str) -> bool:
        return name.removeprefix("-").isdecimal() and selection.version in (None, int(name))

    for model, model_path in _partitions(root, "model=", of_model):
        for version, version_path in _partitions(model_path, "version=", of_version):
            days: Iterable[tuple[str, Path]] = [("", version_path / QUARANTINE)]
            if not selection.quarantined:
                few = selection.days
                days = (
                    _partitions(version_path, "date=", selection.wants)
                    if few is None
                    else [(day, version_path / f"date={day}") for day in few]
                )
            for day, day_path in days:
                for name in _names(day_path):
                    if name.endswith(PART_SUFFIX):
                        yield PartFile(
                            model=unquote(model),
                            version=int(version),
                            day=day,
                            segment=name.removesuffix(PART_SUFFIX),
                            path=day_path / name,
                        )


def _partitions(folder: Path, prefix: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Path]]:
    """The subfolders PREFIX=VALUE with a wanted value. Only these become paths: a log may have many days."""
    for name in _names(folder):
        value = name.removeprefix(prefix)
        if name.startswith(prefix) and wanted(value):
            yield value, folder / name


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
