"""Version folders MODELS/NAME/N on disk: where a model's versions are, and which of them are wanted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LARGEST_VERSION = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPolicy:
    """Which of the versions on disk are wanted.

    >>> VersionPolicy(kind="latest", count=2).choose([1, 7, 3])
    (7, 3)
    """

    kind: Literal["latest", "all", "specific"] = "latest"
    count: int = 1
    numbers: tuple[int, ...] = ()

    def choose(self, found: Sequence[int]) -> tuple[int, ...]:
        """The wanted versions, newest first."""
        newest_first = tuple(sorted(found, reverse=True))
        if self.kind == "latest":
            return newest_first[: max(1, self.count)]
        if self.kind == "all":
            return newest_first
        return tuple(number for number in newest_first if number in self.numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLogging:
    """What a ``tensorflow.serving.LoggingConfig`` asks for."""

    collector: str
    """Its ``log_collector_config.type``; empty if it has none."""
    prefix: str
    """Its ``log_collector_config.filename_prefix``."""
    sampling_rate: float
    """The share of requests to be logged, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """Where one model's versions are, which are wanted, and what else they are called."""

    name: str
    base: Path
    policy: VersionPolicy = VersionPolicy()
    labels: Mapping[str, int] = field(default_factory=dict)
    logging: RequestLogging | None = None
    """How its requests are to be logged, where that was asked for."""


def discover(root: Path, labels: Mapping[str, Mapping[str, int]] | None = None) -> tuple[ModelSource, ...]:
    """Every NAME under ``root`` that holds a version folder, in the order of the names.

    Raises:
        BadInput: no such folder, or it holds versions itself instead of models.
    """
    if not root.is_dir():
        raise BadInput("No such models folder.", got=str(root), expected="a folder", fix="Pass --models DIR.")
    if find_versions(root):
        raise BadInput(
            "This folder is one model, not a folder of models.",
            got=str(root),
            expected="a folder whose children are named like models and hold numbered versions",
            fix=f"Pass its parent: --models {root.resolve().parent}",
        )
    children = sorted(child for child in root.iterdir() if child.is_dir() and not child.name.startswith("."))
    return tuple(
        ModelSource(name=child.name, base=child, labels=(labels or {}).get(child.name, {}))
        for child in children
        if find_versions(child)
    )


def find_versions(base: Path) -> dict[int, Path]:
    """The version folders in ``base``: children whose name is a number that fits 64 bits, ``00000123`` being 123."""
    try:
        children = sorted(base.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    numbered = {int(child.name): child for child in children if child.name.isascii() and child.name.isdecimal()}
    return {number: path for number, path in numbered.items() if number <= LARGEST_VERSION and path.is_dir()}
