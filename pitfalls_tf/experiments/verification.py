"""Repeats a committed experiment and compares the tables: the same to the last digit, or what differs."""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow.parquet as pq

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.experiments.catalogue import ALL, find
from pitfalls_tf.experiments.grid_size import GridSize
from pitfalls_tf.experiments.pages.page import SCORES, final_rows, table_digest
from pitfalls_tf.experiments.processor import Processor, current_processor
from pitfalls_tf.experiments.run_store import CELLS, RunStore
from pitfalls_tf.training.environment import check_environment
from serving.export.manifest import environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

    from pitfalls_tf.experiments.run_store import GridProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedExperiment:
    """An experiment whose table was the same again.

    Attributes:
        experiment: its name.
        rows: number of rows of the table.
        table_digest: sha256 of the table.
        code: whether the code was the same, in words; see `compare_code`.
    """

    experiment: str
    rows: int
    table_digest: str
    code: str


def verify(
    manifest: Path, out: Path, *, clock: Callable[[], float], progress: Callable[[GridProgress], None]
) -> VerifiedExperiment:
    """Repeat all runs of the experiment of a manifest, and compare the tables.

    Args:
        manifest: manifest.json that `reproduce` wrote.
        out: folder of the new runs. Runs that it already holds are not repeated, so name an empty folder.
        clock: seconds, for the estimate of the remaining time.
        progress: called after every run.

    Returns:
        The experiment, if its table is the same.

    Raises:
        BadInput: the file is not the manifest of an experiment.
        CannotRun: libraries, threads or kernels differ, which changes last digits; or the tables differ.
    """
    document = _read(manifest)
    name = str(document["experiment"])
    experiment = next((one for one in find([ALL]) if one.name == name), None)
    if experiment is None:
        _refuse_manifest(manifest, f"experiment {name!r}")
    check_environment(document["environment"], json.loads(json.dumps(asdict(environment()))))
    store = RunStore(out / CELLS, _grid_size(document), clock=clock, progress=progress)
    table = experiment.measure(store)
    digest = table_digest(table)
    code = compare_code(document.get("code"), sorted(store.code))
    if digest != document["table_digest"]:
        raise CannotRun(
            "The repeated experiment has a different table.",
            got=f"{name} with {table.num_rows} rows, digest {digest[:16]}, {code}, "
            f"{compare_processors(document.get('processor'), current_processor())}: "
            f"{_describe_difference(manifest.parent, table)}",
            expected=f"digest {str(document['table_digest'])[:16]}, as in {manifest}",
            fix="Compare code and processor with those of the manifest; the runs are kept in the folder.",
        )
    return VerifiedExperiment(experiment=name, rows=table.num_rows, table_digest=digest, code=code)


def compare_code(before: object, now: list[str]) -> str:
    """Whether the code that makes the runs is that of a manifest, in words.

    Args:
        before: digests in the manifest; None in an older manifest without them.
        now: digests of the present code.

    Returns:
        A phrase for a message.

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
        now: the present processor.

    Returns:
        A phrase for a message.

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


def _describe_difference(folder: Path, table: pa.Table) -> str:
    """How far the table is from the one next to the manifest, in words."""
    if not (folder / SCORES).is_file():
        return f"no {SCORES} next to the manifest to compare with"
    before, now = pq.read_table(folder / SCORES), final_rows(table)
    if before.equals(now):
        return "all scores are the same, the values per epoch differ"
    if "value" not in now.column_names or not before.drop(["value"]).equals(now.drop(["value"])):
        return f"{now.num_rows} rows, whose keys differ from those of the {before.num_rows} committed rows"
    pairs = list(zip(before["value"].to_pylist(), now["value"].to_pylist(), strict=True))
    different = [(old, new) for old, new in pairs if old != new]
    largest = max((abs(old - new) for old, new in different if None not in (old, new)), default=math.nan)
    return f"{len(different)} of {len(pairs)} scores differ, by at most {largest:.2g}"


def _grid_size(document: dict[str, Any]) -> GridSize:
    """The size that the command in the manifest asked for."""
    words = shlex.split(str(document["command"]))
    seeds = int(words[words.index("--seeds") + 1]) if "--seeds" in words else None
    return GridSize(quick=bool(document["quick"]), seeds=seeds)


def _read(manifest: Path) -> dict[str, Any]:
    try:
        document: Any = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        _refuse_manifest(manifest, str(error))
    needed = {"experiment", "command", "quick", "environment", "table_digest"}
    if not isinstance(document, dict) or not needed <= set(document):
        _refuse_manifest(manifest, "a document without the keys of an experiment")
    return {str(name): value for name, value in document.items()}


def _refuse_manifest(manifest: Path, got: str) -> NoReturn:
    raise BadInput(
        "Not the manifest of an experiment.",
        got=f"{manifest}: {got}",
        expected="a manifest.json that `pitfalls reproduce` wrote",
        fix="Name one, for example docs/paper/figure1/manifest.json.",
    )
