"""The two versions that a rollout compares: their bundles, and what both answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from monitoring.actions.version_label import find_label
from monitoring.baseline.folder import Baseline, load_baseline
from monitoring.baseline.profile import MAX_SLICE_VALUES, commonest
from monitoring.baseline.spec import BaselineSpec
from monitoring.config import MonitorConfig
from monitoring.config.sections import CANDIDATE
from monitoring.deployment.configured_spec import configured
from monitoring.deployment.places import BASELINE, EXTRAS, find_baseline, known_versions, published_versions
from monitoring.errors import BadInput
from monitoring.tasks.task import Task

MANIFEST = "manifest.json"

#: The key of a manifest's data that says until when rows have had a part in the making of a model.
TRAINED_UNTIL = "trained_until"

#: The share of the rows that a column's commonest values need for them to be guards.
LEAST_OF_SLICES = 0.5

#: What of a bundle its digest is of: the graph, and the index of its weights.
_DIGESTED = ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Two versions of a model.

    Attributes:
        trained_until: Rows before that time had a part in the candidate; None: nobody knows.
    """

    config: MonitorConfig
    champion: int
    candidate: int
    bundle: Path
    spec: BaselineSpec
    candidate_spec: BaselineSpec
    slices: Mapping[str, tuple[str, ...]]
    trained_until: datetime | None

    @property
    def is_unserved(self) -> bool:
        """Whether the candidate was exported where no server takes it up."""
        return self.bundle.name.endswith(CANDIDATE)

    @property
    def task(self) -> Task:
        """What both versions answer."""
        return self.spec.task


def find_versions(config: MonitorConfig, champion: int | None = None, candidate: int | None = None) -> Versions:
    """The versions that a config and the flags name.

    Args:
        champion: The version in use; None: as the config says.
        candidate: The version that may replace it; None: as the config says, or the newest candidate, or the newest
            version where there is none.
    """
    if config.model.bundle is None:
        raise BadInput(
            "A rollout by a traffic log needs the versions' bundles.",
            got="a config of a table's baseline",
            expected='bundle = "models/NAME" in the [model] section',
            fix="Or compare two versions on a table with the answers of both: `pitfalls rollout replay --table`.",
        )
    folder = config.model.folder
    published = published_versions(folder)
    there = known_versions(folder)
    if not there:
        _no_version(folder, "any", there)
    section = config.rollout
    new = candidate if candidate is not None else section.candidate
    new = max(there.keys() - published.keys() or there) if new is None else new
    old = champion if champion is not None else _champion(config, new, there)
    for version in (old, new):
        if version not in there:
            _no_version(folder, version, there)
    if old == new:
        raise BadInput(
            "Champion and candidate are one version.",
            got=f"version {new} of {config.model.name}",
            expected="two versions",
            fix="Name the other one: --champion, --candidate.",
        )
    of_champion = config.model_copy(update={"model": config.model.model_copy(update={"bundle": there[old]})})
    baseline = load_baseline(find_baseline(of_champion).baseline)
    spec = configured(of_champion, baseline.spec)
    return Versions(
        config=of_champion,
        champion=old,
        candidate=new,
        bundle=there[new],
        spec=spec,
        candidate_spec=_candidate_spec(there[new], spec),
        slices=_slices(of_champion, baseline),
        trained_until=section.trained_until or _trained_until(there[new]),
    )


def version_in_use(config: MonitorConfig) -> Versions:
    """The version that a config monitors, compared with itself: the newest one where [model] names none."""
    folder = config.model.folder
    there = [int(child.name) for child in folder.glob("*") if child.is_dir() and child.name.isdecimal()]
    version = config.model.version
    if config.model.bundle is None or (version is None and not there):
        raise BadInput(
            "A drill of rollbacks needs a bundle.",
            got="none",
            expected='bundle = "models/NAME" in the [model] section, and a traffic log with labels',
            fix="`pitfalls drill run` plants faults in tables, too.",
        )
    version = max(there) if version is None else version
    bundle = folder / str(version)
    version_config = config.model_copy(update={"model": config.model.model_copy(update={"bundle": bundle})})
    baseline = load_baseline(find_baseline(version_config).baseline)
    spec = configured(version_config, baseline.spec)
    return Versions(
        config=version_config,
        champion=version,
        candidate=version,
        bundle=bundle,
        spec=spec,
        candidate_spec=spec,
        slices=_slices(version_config, baseline),
        trained_until=None,
    )


def bundle_digest(bundle: Path) -> str:
    """SHA-256 of a bundle's graph and weights, in hexadecimal."""
    digest = hashlib.sha256()
    for name in _DIGESTED:
        path = bundle / name
        if path.is_file():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _champion(config: MonitorConfig, candidate: int, there: Mapping[int, Path]) -> int:
    """The version in use: as [rollout] says, by a label of the server; as [model] says; or the newest below."""
    named, section = config.rollout.champion, config.rollout
    if isinstance(named, int):
        return named
    if named is not None:
        if section.model_config_file is None:
            raise BadInput(
                "A label names a version in the server's model config file, and none is given.",
                got=f'champion = "{named}"',
                expected="model_config_file, too",
                fix="Write it in the [rollout] section, or name the version by its number.",
            )
        return find_label(_text(section.model_config_file), config.model.name, named).version
    if config.model.version is not None and config.model.version != candidate:
        return config.model.version
    served = published_versions(config.model.folder)
    below = [version for version in served if version < candidate or candidate not in served]
    if not below:
        _no_version(config.model.folder, f"one below {candidate}", there)
    return max(below)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "The model config file cannot be read.",
            got=f"{file}: {error}",
            expected="the file of the server's --model_config_file",
            fix="Correct model_config_file in the [rollout] section.",
        ) from error


def _no_version(folder: Path, wanted: object, there: Mapping[int, Path]) -> NoReturn:
    raise BadInput(
        "There is no such version.",
        got=f"{folder}, with {', '.join(map(str, sorted(there))) or 'no version'}",
        expected=f"version {wanted}",
        fix="Export it there, or name others: --champion, --candidate.",
    )


def _candidate_spec(bundle: Path, champion: BaselineSpec) -> BaselineSpec:
    """What the candidate's own baseline says, if it has one, read as an answer to the champion's task."""
    folder = bundle / EXTRAS / BASELINE
    candidate = load_baseline(folder).spec if folder.is_dir() else champion
    task, other = champion.task, candidate.task
    if type(task) is not type(other) or task.classes != other.classes or task.width != other.width:
        raise BadInput(
            "The two versions do not answer the same.",
            got=f"the champion {_answers(task)}, the candidate {_answers(other)}",
            expected="answers of the same kind, with the same classes in the same order",
            fix="A rollout compares versions of one model; export the candidate with these classes.",
        )
    return replace(champion, output=candidate.output, id_scores=candidate.id_scores, other_outputs=())


def _answers(task: Task) -> str:
    kind = type(task).__name__
    classes = f" of {', '.join(task.classes)[:200]}" if task.classes else ""
    return f"{kind}{classes}, {task.width} numbers a row"


def slice_guards(column: pa.Array) -> tuple[str, ...]:
    """The values of a column that are guards of their own: its commonest, if they are half of the rows together.

    Of ids, such as users, no few values are: a guard of some of them says nothing of the others.

    >>> slice_guards(pa.array(["a"] * 3 + ["b"])), slice_guards(pa.array([f"user {row % 60}" for row in range(600)]))
    (('a', 'b'), ())

    Args:
        column: Text [n].
    """
    values = commonest(column, MAX_SLICE_VALUES)
    rows = pc.sum(pc.is_in(column, pa.array(values, column.type))).as_py() or 0
    return tuple(sorted(values)) if rows >= LEAST_OF_SLICES * (len(column) - column.null_count) else ()


def _slices(config: MonitorConfig, baseline: Baseline) -> dict[str, tuple[str, ...]]:
    """The values of the config's slices that are guards; none of columns that are ids."""
    values_by_column = {}
    for column in config.traffic.slices:
        words = baseline.rows.inputs([column])[column].combine_chunks()
        values_by_column[column] = slice_guards(words)
    return {column: values for column, values in values_by_column.items() if values}


def _trained_until(bundle: Path) -> datetime | None:
    """Until when rows have had a part in a bundle's model, by its manifest; None where it does not say."""
    path = bundle / EXTRAS / MANIFEST
    try:
        document: Any = json.loads(path.read_text("utf-8"))
        moment = datetime.fromisoformat(document["data"][TRAINED_UNTIL])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return moment if moment.tzinfo is not None else None
