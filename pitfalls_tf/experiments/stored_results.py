"""The results in an experiment's folder, read back: rows of all runs, and how each group of runs was made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.scores_table import first_rows, fresh_rows
from pitfalls_tf.experiments.tasks.task import ALL_ROWS

Stage = Literal["first", "fresh"]

MANIFEST: Final = "manifest.json"
SCORES: Final = "scores.parquet"
HISTORY: Final = "history.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunGroup:
    """Runs that one command made, and how.

    Attributes:
        seeds: number of seeds per setup that were asked for; None for the experiment's own.
        fresh_domains: number of fresh domains; None for those of first runs.
        table_digest: sha256 of the rows.
        hours: by the clock that the runs took; None where it was not kept.
        made: when the runs began, ISO 8601 in UTC; of groups from before it was kept, when they were committed.
        plan: digest of the plan that the runs carry out; None of first runs.
    """

    sources: tuple[str, ...]
    stage: Stage
    command: str
    quick: bool
    seeds: int | None
    fresh_domains: int | None
    environment: Mapping[str, Any]
    processor: Mapping[str, Any] | None
    cells: tuple[str, ...]
    code: tuple[str, ...] | None
    table_digest: str
    hours: float | None
    made: str | None = None
    plan: str | None = None

    def document(self) -> dict[str, Any]:
        """JSON values."""
        return {**asdict(self), "environment": dict(self.environment)}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResults:
    """Rows of an experiment, and the groups of runs that they are from."""

    table: pa.Table
    groups: tuple[RunGroup, ...]

    def replaced(self, group: RunGroup, rows: pa.Table, order: Sequence[str]) -> StoredResults:
        """The results with a group's rows in place of those of the same source and stage."""
        (source,) = group.sources
        parts = []
        for name in order:
            of_source = self.table.filter(pc.equal(self.table["source"], name))
            stages = {"first": first_rows(of_source), "fresh": fresh_rows(of_source)}
            if name == source:
                stages[group.stage] = rows
            parts += list(stages.values())
        newer, groups = {(source, group.stage)}, [group]
        for old in reversed(self.groups):
            of = {(name, old.stage) for name in old.sources}
            groups += [old] if of - newer else []
            newer |= of
        return StoredResults(table=pa.concat_tables(parts), groups=tuple(reversed(groups)))


def read_results(folder: Path) -> StoredResults | None:
    """Read the results of an experiment.

    Returns:
        The results; None where there are none, or those of a quick run, which are not kept.
    """
    if not (folder / MANIFEST).is_file() or not (folder / SCORES).is_file():
        return None
    document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if document.get("quick"):
        return None
    scores = pq.read_table(folder / SCORES)
    tables = [scores]
    if (folder / HISTORY).is_file():
        tables.append(_long(pq.read_table(folder / HISTORY)))
    return StoredResults(table=pa.concat_tables(tables), groups=read_groups(document, scores))


def read_groups(document: Mapping[str, Any], scores: pa.Table | None = None) -> tuple[RunGroup, ...]:
    """The groups of runs of a manifest, also of one that an earlier version wrote."""
    if "groups" in document:
        return tuple(
            RunGroup(
                **{
                    **group,
                    "sources": tuple(group["sources"]),
                    "cells": tuple(group["cells"]),
                    "code": None if group["code"] is None else tuple(group["code"]),
                }
            )
            for group in document["groups"]
        )
    words = str(document["command"]).split()
    sources = () if scores is None else tuple(dict.fromkeys(scores["source"].to_pylist()))
    code = document.get("code")
    return (
        RunGroup(
            sources=sources,
            stage="first",
            command=str(document["command"]),
            quick=bool(document["quick"]),
            seeds=int(words[words.index("--seeds") + 1]) if "--seeds" in words else None,
            fresh_domains=None,
            environment=document["environment"],
            processor=document.get("processor"),
            cells=tuple(document.get("cells", ())),
            code=None if code is None else tuple(code),
            table_digest=str(document["table_digest"]),
            hours=None,
        ),
    )


def empty_results(like: pa.Table) -> StoredResults:
    """No results, with the columns of a table."""
    return StoredResults(table=like.schema.empty_table(), groups=())


def _long(history: pa.Table) -> pa.Table:
    """The values of a history as rows of a run's table."""
    keys = [name for name in ("source", "setup", "domain", "seed", "epoch") if name in history.column_names]
    parts = []
    for metric in [name for name in history.column_names if name not in keys]:
        columns = {
            "source": history["source"],
            "setup": history["setup"],
            "split": pa.array(["random"] * len(history), pa.string()),
            "domain": history["domain"] if "domain" in keys else pa.array([ALL_ROWS] * len(history), pa.string()),
            "seed": history["seed"],
            "epoch": history["epoch"],
            "metric": pa.array([metric] * len(history), pa.string()),
            "value": history[metric].cast(pa.float64()),
        }
        parts.append(pa.table(columns).cast(SCHEMA))
    return pa.concat_tables(parts) if parts else SCHEMA.empty_table()
