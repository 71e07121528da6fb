"""The page of an experiment: a folder with a README, a figure, tables, and a manifest to repeat the experiment."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pitfalls_tf.experiments.experiment import overall_verdict
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.pages.finding_text import estimate_text, findings_text, markdown_table, paragraph
from pitfalls_tf.training import run_folder as folders

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pitfalls_tf.experiments.experiment import ClaimFinding, Experiment
    from pitfalls_tf.experiments.processor import Processor

PAGE: Final = "README.md"
MANIFEST: Final = "manifest.json"
SCORES: Final = "scores.parquet"
HISTORY: Final = "history.parquet"
TABLE: Final = "table"
QUICK: Final = (
    "**Quick run**: fewer seeds, rows and epochs than the full experiment; intervals are wide, and verdicts may change"
    " in the full run."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentProvenance:
    """How results were made.

    Attributes:
        command: the command line.
        quick: whether the grid was the quick one.
        seeds: all seeds of the grid.
        runs: number of runs of the setup that has most of them; setups of a search have fewer.
        environment: libraries, threads and kernels.
        processor: processor that assembled the table; runs stored earlier may come from another one.
        cells: digests of the runs.
        code: digests of the code that made the runs, one per kind of cell.
    """

    command: str
    quick: bool
    seeds: tuple[int, ...]
    runs: int
    environment: Mapping[str, Any]
    processor: Processor
    cells: tuple[str, ...]
    code: tuple[str, ...]


def write_page(
    experiment: Experiment, table: pa.Table, provenance: ExperimentProvenance, *, into: Path
) -> dict[str, Any]:
    """Write the experiment's folder under a temporary name, then rename it, replacing an older one.

    Args:
        experiment: the experiment.
        table: rows that its grid returned.
        provenance: how they were made.
        into: parent of the folder.

    Returns:
        The manifest.

    Raises:
        CannotRun: the folder cannot be written.
    """
    findings = experiment.findings(table)
    summary = experiment.summary(table)
    document = make_manifest(experiment, table, findings, provenance)
    folder = into / experiment.name
    with folders.exclusive(into):
        shutil.rmtree(old := into / f".seed-old-{experiment.name}", ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        with folders.staged(folder) as unfinished:
            drawing.save(lambda: experiment.draw(table, findings), unfinished, experiment.name)
            final = final_rows(table)
            pq.write_table(final, unfinished / SCORES, compression="zstd")
            has_history = final.num_rows < table.num_rows
            if has_history:
                pq.write_table(_history(table), unfinished / HISTORY, compression="zstd")
            pq.write_table(summary, unfinished / f"{TABLE}.parquet", compression="zstd")
            (unfinished / f"{TABLE}.md").write_text(markdown_table(summary), encoding="utf-8")
            folders.write_json(unfinished / MANIFEST, document)
            text = page_text(experiment, summary, findings, provenance, has_history=has_history)
            (unfinished / PAGE).write_text(text, encoding="utf-8")
        shutil.rmtree(old, ignore_errors=True)
    return document


def final_rows(table: pa.Table) -> pa.Table:
    """The rows measured after the last epoch, without those of single epochs."""
    return table.filter(pc.is_null(table["epoch"])) if "epoch" in table.column_names else table


def table_digest(table: pa.Table) -> str:
    """Digest of a table's rows; two makings of the same results have the same digest.

    Returns:
        sha256 in hexadecimal.

    >>> table_digest(pa.table({"a": [1]})) == table_digest(pa.table({"a": pa.chunked_array([[1]])}))
    True
    """
    lines = (json.dumps(row, sort_keys=True) for row in table.to_pylist())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_manifests(into: Path) -> dict[str, dict[str, Any]]:
    """Read the manifests of all experiments in a folder.

    Returns:
        Manifests by experiment name, in the order of the folders' names.
    """
    manifests = {}
    for path in sorted(into.glob(f"[!.]*/{MANIFEST}")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if "experiment" in document:
            manifests[str(document["experiment"])] = document
    return manifests


def _history(table: pa.Table) -> pa.Table:
    """The rows of single epochs with a column per metric, in single precision: they are only plotted."""
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


def make_manifest(
    experiment: Experiment, table: pa.Table, findings: Sequence[ClaimFinding], provenance: ExperimentProvenance
) -> dict[str, Any]:
    """The manifest of an experiment: provenance, digest of the table, and claims with their findings.

    Returns:
        A document of JSON values.
    """
    claims = []
    for claim in experiment.claims:
        of_claim = [one for one in findings if one.claim == claim]
        claims.append(
            {
                "name": claim.name,
                "section": claim.section,
                "says": claim.says,
                "quantity": claim.quantity,
                "rule": claim.rule,
                "verdict": overall_verdict(of_claim),
                "found": findings_text(of_claim),
                "findings": [
                    {
                        "where": one.where,
                        "estimate": one.estimate,
                        "low": one.interval.low,
                        "high": one.interval.high,
                        "measured": estimate_text(one),
                        "verdict": one.verdict,
                    }
                    for one in of_claim
                ],
            }
        )
    return {
        "format": 1,
        "experiment": experiment.name,
        "title": experiment.title,
        "command": provenance.command,
        "quick": provenance.quick,
        "seeds": list(provenance.seeds),
        "runs": provenance.runs,
        "environment": provenance.environment,
        "processor": asdict(provenance.processor),
        "cells": list(provenance.cells),
        "code": list(provenance.code),
        "table_digest": table_digest(table),
        "claims": claims,
    }


def page_text(
    experiment: Experiment,
    summary: pa.Table,
    findings: Sequence[ClaimFinding],
    provenance: ExperimentProvenance,
    *,
    has_history: bool,
) -> str:
    """The README of an experiment's folder.

    Args:
        experiment: the experiment.
        summary: its summary table.
        findings: its findings.
        provenance: how the results were made.
        has_history: whether the folder has a table of single epochs.

    Returns:
        Markdown.
    """
    name = experiment.name
    rules = "\n".join(f"- *{claim.name}*: {claim.rule}" for claim in experiment.claims)
    remarks = "\n".join(f"- {remark}" for remark in experiment.remarks)
    history = f", per epoch: [{HISTORY}]({HISTORY})" if has_history else ""
    files = (
        f"All runs: [{SCORES}]({SCORES}){history}. Vector figure: [{name}.svg]({name}.svg)."
        f" Command, versions and digests: [{MANIFEST}]({MANIFEST})."
    )
    parts = (
        f"# {experiment.title}",
        QUICK if provenance.quick else "",
        f"`{provenance.command}`, {provenance.runs} runs per setup.",
        f"![{experiment.title}]({name}.png)",
        experiment.caption,
        paragraph(experiment.claims, findings),
        f"## Decision rules, fixed before the runs\n\n{rules}",
        f"## Findings\n\n{markdown_table(_findings_table(findings)).strip()}",
        f"## Table\n\n{markdown_table(summary).strip()}",
        f"## Remarks\n\n{remarks}" if remarks else "",
        files,
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _findings_table(findings: Sequence[ClaimFinding]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "claim": one.claim.name,
                "where": one.where,
                "estimate": one.estimate,
                "low": one.interval.low,
                "high": one.interval.high,
                "verdict": one.verdict,
            }
            for one in findings
        ]
    )
