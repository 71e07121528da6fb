"""Committed results made again: the same table to the last digit, or what does not allow it."""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.experiments.catalogue import ALL, find
from pitfalls_tf.experiments.experiment import Scale
from pitfalls_tf.experiments.page import SCORES, digest, final_rows
from pitfalls_tf.experiments.processor import Processor, processor
from pitfalls_tf.experiments.run_store import CELLS, Lab
from pitfalls_tf.training.environment import check_environment
from serving.export.manifest import environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

    from pitfalls_tf.experiments.run_store import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An experiment whose table came out the same, of so many rows with this sha256; `code` is `code_said` of it."""

    experiment: str
    rows: int
    table_digest: str
    code: str


def check(manifest: Path, out: Path, *, clock: Callable[[], float], progress: Callable[[Progress], None]) -> Checked:
    """Make the experiment of a manifest again in OUT, all of its runs, and compare the tables.

    Runs that OUT already holds are not made again: name an empty folder.

    Raises:
        BadInput: it is no manifest of an experiment.
        CannotRun: libraries, threads or kernels are others, which changes last digits; or the table came out otherwise.
    """
    document = _read(manifest)
    name = str(document["experiment"])
    experiment = next((one for one in find([ALL]) if one.name == name), None)
    if experiment is None:
        raise _no_manifest(manifest, f"experiment {name!r}")
    now = json.loads(json.dumps(asdict(environment())))
    check_environment(document["environment"], now)
    lab = Lab(out / CELLS, _scale(document), clock=clock, progress=progress)
    table = experiment.measure(lab)
    found = digest(table)
    said = code_said(document.get("code"), sorted(lab.code))
    if found != document["table_digest"]:
        raise CannotRun(
            "The results came out otherwise.",
            got=f"{name} with {table.num_rows} rows, digest {found[:16]}, {said}, "
            f"{processors_said(document.get('processor'), processor())}: {_apart(manifest.parent, table)}",
            expected=f"digest {str(document['table_digest'])[:16]}, as in {manifest}",
            fix="Compare the code and the processor with those that made them; the runs are kept in the folder.",
        )
    return Checked(experiment=name, rows=table.num_rows, table_digest=found, code=said)


def code_said(then: object, now: list[str]) -> str:
    """Whether the code that makes the runs is that of a manifest, in words; one that is older does not say.

    >>> code_said(["a1"], ["a1"]), code_said(["a1"], ["b2"]), code_said(None, ["b2"])
    ('by the same code', 'by other code', 'by code that the manifest does not name')
    """
    if then is None:
        return "by code that the manifest does not name"
    return "by the same code" if then == now else "by other code"


def processors_said(then: object, now: Processor) -> str:
    """Whether the processor is that of a manifest, in words; one that is older does not say.

    >>> here = Processor(model="A", threads=2)
    >>> processors_said({"model": "A", "threads": 2}, here), processors_said({"model": "B", "threads": 4}, here)
    ('on such a processor (A, 2 threads)', 'on another processor (A, 2 threads; B, 4 threads then)')
    """
    if not isinstance(then, dict):
        return f"on {now}, and then on a processor that the manifest does not name"
    before = Processor(model=str(then.get("model")), threads=int(then.get("threads", 0)))
    return f"on such a processor ({now})" if before == now else f"on another processor ({now}; {before} then)"


def _apart(folder: Path, table: pa.Table) -> str:
    """How far the table is from the one beside the manifest, in words."""
    if not (folder / SCORES).is_file():
        return "no table beside the manifest to compare"
    then, now = pq.read_table(folder / SCORES), final_rows(table)
    if then.equals(now):
        return "every score is the same, what was noted after each epoch is not"
    if "value" not in now.column_names or not then.drop(["value"]).equals(now.drop(["value"])):
        return f"{now.num_rows} rows of results, of which others are spoken of than in the {then.num_rows} there"
    pairs = list(zip(then["value"].to_pylist(), now["value"].to_pylist(), strict=True))
    other = [(before, after) for before, after in pairs if before != after]
    farthest = max((abs(before - after) for before, after in other if None not in (before, after)), default=math.nan)
    return f"{len(other)} of {len(pairs)} scores differ, by {farthest:.2g} at most"


def _scale(document: dict[str, Any]) -> Scale:
    """As the command that made the results had it."""
    words = shlex.split(str(document["command"]))
    seeds = int(words[words.index("--seeds") + 1]) if "--seeds" in words else None
    return Scale(quick=bool(document["quick"]), seeds=seeds)


def _read(manifest: Path) -> dict[str, Any]:
    try:
        document: Any = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _no_manifest(manifest, str(error)) from error
    needed = {"experiment", "command", "quick", "environment", "table_digest"}
    if not isinstance(document, dict) or not needed <= set(document):
        raise _no_manifest(manifest, "a document of something else")
    return {str(name): value for name, value in document.items()}


def _no_manifest(manifest: Path, got: str) -> BadInput:
    return BadInput(
        "Not the manifest of an experiment.",
        got=f"{manifest}: {got}",
        expected="the manifest.json that pitfalls reproduce wrote beside its page",
        fix="Name one, such as docs/paper/figure1/manifest.json.",
    )
