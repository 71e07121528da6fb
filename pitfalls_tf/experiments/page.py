"""What an experiment leaves behind: a folder with a page, a figure, tables, and a manifest to make them again."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pitfalls_tf.experiments import drawing
from pitfalls_tf.experiments.experiment import overall
from pitfalls_tf.experiments.narrative import found, markdown, measured, paragraph
from pitfalls_tf.training import runs as folders

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pitfalls_tf.experiments.experiment import Experiment, Finding
    from pitfalls_tf.experiments.processor import Processor

PAGE: Final = "README.md"
MANIFEST: Final = "manifest.json"
SCORES: Final = "scores.parquet"
HISTORY: Final = "history.parquet"
TABLE: Final = "table"
QUICK: Final = (
    "**Quick run**: fewer seeds, rows and epochs than the full experiment; intervals are wide, and a verdict here may"
    " change with the full run."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How the results came to be: the command, the seeds, the environment and the digests of the runs used.

    runs  of the setup that has most of them; those of a search have fewer
    processor  on which the table was put together; runs kept from before may be of another
    code  digests of the code that made the runs, one for each kind of them
    """

    command: str
    quick: bool
    seeds: tuple[int, ...]
    runs: int
    environment: Mapping[str, Any]
    processor: Processor
    cells: tuple[str, ...]
    code: tuple[str, ...]


def write(experiment: Experiment, table: pa.Table, made: Made, *, into: Path) -> dict[str, Any]:
    """Write the experiment's folder, aside and then in place of an older one. Returns the manifest.

    Raises:
        CannotRun: nothing can be written there.
    """
    findings = experiment.findings(table)
    summary = experiment.summary(table)
    document = _manifest(experiment, table, findings, made)
    folder = into / experiment.name
    with folders.exclusive(into):
        shutil.rmtree(old := into / f".seed-old-{experiment.name}", ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        with folders.aside(folder) as unfinished:
            drawing.save(lambda: experiment.draw(table, findings), unfinished, experiment.name)
            final = final_rows(table)
            pq.write_table(final, unfinished / SCORES, compression="zstd")
            history = ""
            if final.num_rows < table.num_rows:
                pq.write_table(_history(table), unfinished / HISTORY, compression="zstd")
                history = f", its epochs [{HISTORY}]({HISTORY})"
            pq.write_table(summary, unfinished / f"{TABLE}.parquet", compression="zstd")
            (unfinished / f"{TABLE}.md").write_text(markdown(summary), encoding="utf-8")
            folders.write_json(unfinished / MANIFEST, document)
            (unfinished / PAGE).write_text(_page(experiment, summary, findings, made, history), encoding="utf-8")
        shutil.rmtree(old, ignore_errors=True)
    return document


def final_rows(table: pa.Table) -> pa.Table:
    """What was measured once, after the last epoch: the file of scores."""
    return table.filter(pc.is_null(table["epoch"])) if "epoch" in table.column_names else table


def digest(table: pa.Table) -> str:
    """sha256 of a table's rows: two makings of the same results have the same."""
    lines = (json.dumps(row, sort_keys=True) for row in table.to_pylist())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_manifests(into: Path) -> dict[str, dict[str, Any]]:
    """The manifests of all experiments in a folder, by name."""
    manifests = {}
    for path in sorted(into.glob(f"[!.]*/{MANIFEST}")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if "experiment" in document:
            manifests[str(document["experiment"])] = document
    return manifests


def _history(table: pa.Table) -> pa.Table:
    """The rows of single epochs, a column for each metric, in single precision: they are only looked at."""
    rows = table.filter(pc.is_valid(table["epoch"])).drop_columns(["split"])
    keys = ["source", "setup", "domain", "seed", "epoch"]
    if len(pc.unique(rows["domain"])) == 1:
        keys.remove("domain")
    names = pc.unique(rows["metric"]).to_pylist()
    wide: pa.Table | None = None
    for name in names:
        part = rows.filter(pc.equal(rows["metric"], name)).drop_columns(["metric"])
        values = part["value"].cast(pa.float32(), safe=False)
        part = part.select(keys).append_column(name, values)
        wide = part if wide is None else wide.join(part, keys)
    assert wide is not None  # noqa: S101 - for the type checker: only called where there are such rows
    return wide.sort_by([(key, "ascending") for key in keys])


def _manifest(experiment: Experiment, table: pa.Table, findings: Sequence[Finding], made: Made) -> dict[str, Any]:
    claims = []
    for claim in experiment.claims:
        these = [one for one in findings if one.claim == claim]
        claims.append(
            {
                "name": claim.name,
                "section": claim.section,
                "says": claim.says,
                "quantity": claim.quantity,
                "rule": claim.rule,
                "verdict": overall(these),
                "found": found(these),
                "findings": [
                    {
                        "where": one.where,
                        "estimate": one.estimate,
                        "low": one.interval.low,
                        "high": one.interval.high,
                        "measured": measured(one),
                        "verdict": one.word,
                    }
                    for one in these
                ],
            }
        )
    return {
        "format": 1,
        "experiment": experiment.name,
        "title": experiment.title,
        "command": made.command,
        "quick": made.quick,
        "seeds": list(made.seeds),
        "runs": made.runs,
        "environment": made.environment,
        "processor": asdict(made.processor),
        "cells": list(made.cells),
        "code": list(made.code),
        "table_digest": digest(table),
        "claims": claims,
    }


def _page(experiment: Experiment, summary: pa.Table, findings: Sequence[Finding], made: Made, history: str) -> str:
    claims = "\n".join(f"- *{claim.name}*: {claim.rule}" for claim in experiment.claims)
    remarks = "\n".join(f"- {remark}" for remark in experiment.remarks)
    name = experiment.name
    files = (
        f"Each run: [{SCORES}]({SCORES}){history}. As vectors: [{name}.svg]({name}.svg)."
        f" How it was made, with versions and digests: [{MANIFEST}]({MANIFEST})."
    )
    return (
        "\n\n".join(
            part
            for part in (
                f"# {experiment.title}",
                QUICK if made.quick else "",
                f"`{made.command}`, {made.runs} runs of each setup.",
                f"![{experiment.title}]({experiment.name}.png)",
                experiment.caption,
                paragraph(experiment.claims, findings),
                f"## Rules, written before looking\n\n{claims}",
                f"## Findings\n\n{markdown(_listed(findings)).strip()}",
                f"## Table\n\n{markdown(summary).strip()}",
                f"## Remarks\n\n{remarks}" if remarks else "",
                files,
            )
            if part
        )
        + "\n"
    )


def _listed(findings: Sequence[Finding]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "claim": one.claim.name,
                "where": one.where,
                "estimate": one.estimate,
                "low": one.interval.low,
                "high": one.interval.high,
                "verdict": one.word,
            }
            for one in findings
        ]
    )
