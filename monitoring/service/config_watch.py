"""Which configs were added, changed or removed since the last look."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from monitoring.config.files import ConfigFile, read_files
from monitoring.config.made_beside import kept_file

#: What tells one content of a file from another: its time, its size and its number in the file system; and who may read
#: it; of each file.
Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChanges:
    """What has changed between two looks."""

    read: tuple[ConfigFile, ...] = ()
    removed: tuple[Path, ...] = ()


class ConfigWatch:
    """Looks at config files from time to time.

    A file that changes is read once two looks have found it the same, so that one that is being written is not read
    half-way; at the first look every file is read. Cost of a look: some 10 µs a file.
    """

    def __init__(
        self, paths: Callable[[], Iterable[Path]], read: Callable[[list[Path]], tuple[ConfigFile, ...]] = read_files
    ) -> None:
        """Has not looked yet."""
        self._paths = paths
        self._read = read
        self._stamps: dict[Path, Stamp] = {}
        self._read_stamps: dict[Path, Stamp] = {}
        self._begun = False

    def look(self) -> ConfigChanges:
        """What has changed since the last look."""
        now = {path: stamp for path in self._paths() if (stamp := _stamp(path)) is not None}
        settled = [path for path, stamp in now.items() if not self._begun or self._stamps.get(path) == stamp]
        changed = [path for path in settled if self._read_stamps.get(path) != now[path]]
        removed = tuple(path for path in self._read_stamps if path not in now)
        self._stamps, self._begun = now, True
        self._read_stamps = {path: stamp for path, stamp in self._read_stamps.items() if path in now}
        self._read_stamps |= {path: now[path] for path in changed}
        return ConfigChanges(read=self._read(changed), removed=removed)


def _stamp(path: Path) -> Stamp | None:
    """The stamp of a file, and of the section that is kept for it elsewhere; None where there is none."""
    try:
        section_path = kept_file(path)
        files = [file.stat() for file in ((path,) if section_path is None else (path, section_path))]
    except OSError:
        return None
    return tuple(
        number
        for file in files
        for number in (file.st_mtime_ns, file.st_size, file.st_ino, file.st_mode, file.st_uid, file.st_gid)
    )
