"""Version folders MODELS/NAME/N on disk: where a model's versions are, and which of them are served."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from monitoring.errors import BadInput
from monitoring.traffic.remote.urls import shown_url

LARGEST_VERSION = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPolicy:
    """Which of the versions on disk are served.

    >>> VersionPolicy(kind="latest", count=2).choose([1, 7, 3])
    (7, 3)
    """

    kind: Literal["latest", "all", "specific", "none"] = "latest"
    count: int = 1
    numbers: tuple[int, ...] = ()

    def choose(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """The versions to serve, newest first."""
        newest_first = tuple(sorted(numbers, reverse=True))
        if self.kind == "latest":
            return newest_first[: max(1, self.count)]
        if self.kind == "all":
            return newest_first
        if self.kind == "none":
            return ()
        return tuple(number for number in newest_first if number in self.numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLogging:
    """What a ``tensorflow.serving.LoggingConfig`` asks for."""

    collector: str
    """Its ``log_collector_config.type``; empty if it has none."""
    prefix: str
    """Its ``log_collector_config.filename_prefix``."""
    sampling_rate: float
    """The share of requests to log, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """Where one model's versions are, which of them are served, and their labels."""

    name: str
    base: Path
    """Its folder of versions on this machine; of a model at a URL, the folder of its copies in the cache."""
    policy: VersionPolicy = VersionPolicy()
    labels: Mapping[str, int] = field(default_factory=dict)
    logging: RequestLogging | None = None
    """How its requests are logged; None for the server's default."""
    url: str = ""
    """The folder of its versions, if that is not on this machine."""

    @property
    def place(self) -> str:
        """Where its versions are, for messages."""
        return shown_url(self.url) if self.url else str(self.base)

    @property
    def is_unloaded(self) -> bool:
        """Whether a client has unloaded the model: it stays in the list, without a version."""
        return self.policy.kind == "none"

    def unloaded(self) -> ModelSource:
        """The same model, unloaded."""
        return replace(self, policy=VersionPolicy(kind="none"), labels={})


def source_of(document: Mapping[str, Any]) -> ModelSource:
    """The model that `dataclasses.asdict` has written, through JSON or not."""
    policy, logging = document["policy"], document["logging"]
    return ModelSource(
        name=document["name"],
        base=Path(document["base"]),
        policy=VersionPolicy(**policy | {"numbers": tuple(policy["numbers"])}),
        labels=document["labels"],
        logging=None if logging is None else RequestLogging(**logging),
        url=document["url"],
    )


def discover(root: Path, labels: Mapping[str, Mapping[str, int]] | None = None) -> tuple[ModelSource, ...]:
    """Find the models in a folder. Returns every NAME that holds a version folder, in the order of the names."""
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
    """Find the version folders of a model.

    Returns:
        By number, the children of ``base`` whose name is a number that fits 64 bits; ``00000123`` is 123. Empty if
        there is no such folder.
    """
    try:
        children = sorted(base.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    numbered = {int(child.name): child for child in children if child.name.isascii() and child.name.isdecimal()}
    return {number: path for number, path in numbered.items() if number <= LARGEST_VERSION and path.is_dir()}


def check_files(version: Path) -> None:
    """Refuse a version whose files lie elsewhere: a model must not make the server read what is not the model's.

    Raises:
        BadInput: A symbolic link of the folder leads out of it, or something in it is neither a file nor a folder. The
            folder itself may be a link.
    """
    inside = version.resolve()
    for folder, names, files in os.walk(inside):
        for path in (Path(folder) / name for name in (*names, *files)):
            target = path.resolve() if path.is_symlink() else path
            if not target.is_relative_to(inside):
                raise BadInput(
                    "A file of the version is a symbolic link that leads out of its folder.",
                    got=f"{version / path.relative_to(inside)} -> {path.readlink()}",
                    expected="a model whose files lie in its own folder",
                    fix="If you trust the model, copy the version with what its links name: cp -rL.",
                )
            if target.exists() and not target.is_file() and not target.is_dir():
                raise BadInput(
                    "Something in the version's folder is neither a file nor a folder.",
                    got=str(version / path.relative_to(inside)),
                    expected="a model's files",
                    fix="Remove it from the folder.",
                )


def modified_ns(version: Path) -> int:
    """When a version folder, its graph or its variables were last changed, in ns since 1970; 0 if it is gone."""
    variables = version / "variables"
    parts = (version, version / "saved_model.pb", variables, *variables.glob("*"))
    return max((part.stat().st_mtime_ns for part in parts if part.exists()), default=0)
