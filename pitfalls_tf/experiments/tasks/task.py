"""A task: the rows that a cell trains on, and the parts that it is scored on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from pitfalls_tf.rows.examples import Examples
    from pitfalls_tf.rows.feature_encoding import Encoding
    from pitfalls_tf.rows.table import Table

SplitName = Literal["random", "blocked", "deployed"]

ALL_ROWS: Final = "all"  # domain of rows that are scored together


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Labelled rows that are scored together: a split and a domain."""

    split: SplitName
    domain: str
    examples: Examples


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """The rows of a run. Compared and hashed by identity.

    Attributes:
        source: name of the source.
        training: rows to train on.
        validation: rows scored after every epoch.
        parts: rows scored after the last epoch.
        target: unlabelled rows for domain adaptation, or None.
        metrics: names of the metrics that parts are scored by; None for all.
    """

    source: str
    training: Examples
    validation: Examples
    parts: tuple[Part, ...]
    target: Examples | None = None
    metrics: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRows:
    """Rows of a task before encoding, for a model that includes its preprocessing."""

    encoding: Encoding
    held: Table
    deployed: Table


@lru_cache(maxsize=16)
def task_digest(task: Task) -> str:
    """Digest of all rows with their roles. Cost: about .3 s for 100 MB, the first time."""
    sha = hashlib.sha256(task.source.encode())
    others = [] if task.target is None else [("target", task.target)]
    roles = [("training", task.training), ("validation", task.validation), *others]
    roles += [(f"{part.split}/{part.domain}", part.examples) for part in task.parts]
    for role, examples in roles:
        sha.update(f"\x00{role}\x00{len(examples)}\x00{examples.classes}\x00".encode())
        sha.update(np.ascontiguousarray(examples.inputs).tobytes())
        sha.update(np.ascontiguousarray(examples.targets).tobytes())
        sha.update("\x00".join(examples.domains.tolist()).encode())
    return sha.hexdigest()
