"""Repeats a committed experiment and compares the tables: the same to the last digit, or what differs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.experiments.catalogue import ALL, find
from pitfalls_tf.experiments.experiment import Experiment
from pitfalls_tf.experiments.grid_size import GridSize
from pitfalls_tf.experiments.pages.page import final_rows, table_digest
from pitfalls_tf.experiments.reproduce import Processor, current_processor, measure_group
from pitfalls_tf.experiments.run_store import CELLS, GridProgress, RunStore
from pitfalls_tf.experiments.scores_table import first_rows, fresh_rows
from pitfalls_tf.experiments.stored_results import SCORES, RunGroup, read_groups
from pitfalls_tf.training.train import check_environment
from serving.export.manifest import environment


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedExperiment:
    """An experiment whose table was the same again. `table_digests`: sha256 of the table of each group of runs."""

    experiment: str
    rows: int
    table_digests: tuple[str, ...]
    code: str


def verify(
    manifest: Path, out: Path, *, clock: Callable[[], float], progress: Callable[[GridProgress], None]
) -> VerifiedExperiment:
    """Repeat all runs of the experiment of a manifest, and compare the tables.

    Args:
        out: folder of the new runs. Runs that it already holds are not repeated, so name an empty folder.
        clock: seconds, for the estimate of the remaining time.
    """
    document = _read(manifest)
    name = str(document["experiment"])
    experiment = next((candidate for candidate in find([ALL]) if candidate.name == name), None)
    if experiment is None:
        _refuse_manifest(manifest, f"experiment {name!r}")
    scores = pq.read_table(manifest.parent / SCORES) if (manifest.parent / SCORES).is_file() else None
    verified = []
    for group in read_groups(document, scores):
        check_environment(dict(group.environment), json.loads(json.dumps(asdict(environment()))))
        size = GridSize(quick=group.quick, seeds=group.seeds, fresh_domains=group.fresh_domains)
        store = RunStore(out / CELLS, size, clock=clock, progress=progress)
        table = _repeat(experiment, group, store, scores)
        code = compare_code(None if group.code is None else list(group.code), sorted(store.code))
        digest = table_digest(table)
        if digest != group.table_digest:
            raise CannotRun(
                "The repeated experiment has a different table.",
                got=f"{name}, {group.stage} runs of {', '.join(group.sources)}: {table.num_rows} rows, digest"
                f" {digest[:16]}, {code}, {compare_processors(group.processor, current_processor())}: "
                f"{_describe_difference(scores, group, table)}",
                expected=f"digest {group.table_digest[:16]}, as in {manifest}",
                fix="Compare code and processor with those of the manifest; the runs are kept in the folder.",
            )
        verified.append((table.num_rows, digest, code))
    return VerifiedExperiment(
        experiment=name,
        rows=sum(rows for rows, _, _ in verified),
        table_digests=tuple(digest for _, digest, _ in verified),
        code=", ".join(dict.fromkeys(code for _, _, code in verified)),
    )


def _repeat(experiment: Experiment, group: RunGroup, store: RunStore, scores: pa.Table | None) -> pa.Table:
    """The rows of a group of runs, made again."""
    first = None if scores is None else first_rows(scores)
    sources = group.sources or experiment.sources
    return pa.concat_tables([measure_group(experiment, store, source, group.stage, first) for source in sources])


def compare_code(before: object, now: list[str]) -> str:
    """Whether the code that makes the runs is that of a manifest, in words.

    Args:
        before: digests in the manifest; None in an older manifest without them.

    >>> compare_code(["a1"], ["a1"]), compare_code(["a1"], ["b2"]), compare_code(None, ["b2"])
    ('same code', 'different code', 'code unknown to the manifest')
    """
    if before is None:
        return "code unknown to the manifest"
    return "same code" if before == now else "different code"


def compare_processors(before: object, now: Processor) -> str:
    """Whether the processor is that of a manifest, in words.

    Args:
        before: the processor in the manifest; None in an older manifest without it.

    >>> here = Processor(model="A", threads=2)
    >>> compare_processors({"model": "A", "threads": 2}, here)
    'same processor (A, 2 threads)'
    >>> compare_processors({"model": "B", "threads": 4}, here)
    'different processor (now A, 2 threads; before B, 4 threads)'
    """
    if not isinstance(before, dict):
        return f"processor unknown to the manifest (now {now})"
    then = Processor(model=str(before.get("model")), threads=int(before.get("threads", 0)))
    return f"same processor ({now})" if then == now else f"different processor (now {now}; before {then})"


def _describe_difference(scores: pa.Table | None, group: RunGroup, table: pa.Table) -> str:
    """How far the table is from the one next to the manifest, in words."""
    if scores is None:
        return f"no {SCORES} next to the manifest to compare with"
    before = scores.filter(pc.is_in(scores["source"], value_set=pa.array(group.sources, pa.string())))
    before, now = fresh_rows(before) if group.stage == "fresh" else first_rows(before), final_rows(table)
    if before.equals(now):
        return "all scores are the same, the values per epoch differ"
    if "value" not in now.column_names or not before.drop(["value"]).equals(now.drop(["value"])):
        return f"{now.num_rows} rows, whose keys differ from those of the {before.num_rows} committed rows"
    pairs = list(zip(before["value"].to_pylist(), now["value"].to_pylist(), strict=True))
    different = [(old, new) for old, new in pairs if old != new]
    largest = max((abs(old - new) for old, new in different if None not in (old, new)), default=math.nan)
    return f"{len(different)} of {len(pairs)} scores differ, by at most {largest:.2g}"


def _read(manifest: Path) -> dict[str, Any]:
    try:
        document: Any = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        _refuse_manifest(manifest, str(error))
    older = {"experiment", "command", "quick", "environment", "table_digest"}
    if not isinstance(document, dict) or not ({"experiment", "groups"} <= set(document) or older <= set(document)):
        _refuse_manifest(manifest, "a document without the keys of an experiment")
    return {str(name): value for name, value in document.items()}


def _refuse_manifest(manifest: Path, got: str) -> NoReturn:
    raise BadInput(
        "Not the manifest of an experiment.",
        got=f"{manifest}: {got}",
        expected="a manifest.json that `pitfalls reproduce` wrote",
        fix="Name one, for example docs/paper/figure1/manifest.json.",
    )
