"""Many configs: which files a folder or a pattern names, and what each of them says."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitoring.config.loading import load_config
from monitoring.config.sections import MonitorConfig
from monitoring.errors import BadInput, PitfallsError

#: A folder of configs is searched for files of this name, one folder deep, and for any TOML file right in it.
NAME = "monitor.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """A config and where it is.

    Attributes:
        config: What it says; None where it cannot be read.
        problem: Why it cannot be read, or what is wrong with its last run; empty where all is well.
    """

    path: Path
    config: MonitorConfig | None
    problem: str = ""
    is_missing: bool = False
    is_waiting: bool = False

    @property
    def name(self) -> str:
        """The file's name; that of its folder too where many files have the same one.

        >>> [ConfigFile(path=Path(path), config=None).name for path in ("etc/eu/monitor.toml", "etc/us.toml")]
        ['eu/monitor.toml', 'us.toml']
        """
        return "/".join(self.path.parts[-2:]) if self.path.name == NAME else self.path.name


def config_paths(pattern: str) -> tuple[Path, ...]:
    """The config files that a folder or a pattern names.

    Args:
        pattern: A folder, searched for ``*.toml`` and ``*/monitor.toml``, or a pattern with ``*``.
    """
    paths = find_configs(pattern)
    if not paths:
        raise BadInput(
            "There is no config.",
            got=pattern,
            expected=f"a folder with {NAME} files, or a pattern of files",
            fix="`pitfalls monitor init` writes a config.",
        )
    return paths


def find_configs(pattern: str) -> tuple[Path, ...]:
    """As `config_paths`, but for a folder or a pattern that may name none."""
    folder = Path(pattern)
    if folder.is_dir():
        paths = {*folder.glob("*.toml"), *folder.glob(f"*/{NAME}")}
    else:
        paths = {Path(name) for name in glob.glob(pattern, recursive=True)}  # noqa: PTH207 - an absolute pattern too
    return tuple(sorted(paths))


def read_files(paths: Sequence[Path], load: Callable[[Path], MonitorConfig] = load_config) -> tuple[ConfigFile, ...]:
    """Read several configs; one that cannot be read keeps the reason."""
    files = []
    for path in paths:
        try:
            files.append(ConfigFile(path=path, config=load(path)))
        except PitfallsError as error:
            files.append(ConfigFile(path=path, config=None, problem=str(error)))
    return tuple(files)
