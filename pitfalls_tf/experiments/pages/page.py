"""The page of an experiment: a folder with a README, a figure, tables, and a manifest to repeat the experiment."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pitfalls_tf.experiments.claim import Claim, ClaimFinding
from pitfalls_tf.experiments.decisions import ClaimDecision
from pitfalls_tf.experiments.experiment import Experiment
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.pages.finding_text import claim_text, estimate_text, markdown_table, summary_text
from pitfalls_tf.experiments.pages.plan_text import plan_section
from pitfalls_tf.experiments.power_plan import Plan
from pitfalls_tf.experiments.severity import severity, verdict_with_bounds_times
from pitfalls_tf.experiments.stored_results import HISTORY, MANIFEST, SCORES, StoredResults
from pitfalls_tf.training import run_folder as folders

PAGE: Final = "README.md"
FORMAT: Final = 3  # of manifests
TABLE: Final = "table"
QUICK: Final = "**Quick run**: fewer seeds, rows and epochs than the full experiment, hence a picture and no verdicts."


def write_page(
    experiment: Experiment, results: StoredResults, decisions: Sequence[ClaimDecision], plan: Plan, *, into: Path
) -> dict[str, Any]:
    """Write the experiment's folder under a temporary name, then rename it, replacing an older one."""
    table = results.table
    findings = [finding for decision in decisions for finding in (*decision.findings, *decision.details)]
    summary = experiment.summary(table)
    document = make_manifest(experiment, results, decisions, plan)
    folder = into / experiment.name
    with folders.exclusive(into):
        shutil.rmtree(old := into / f".seed-old-{experiment.name}", ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        with folders.staged(folder) as unfinished:
            drawing.save(lambda: experiment.draw(table, findings), unfinished, experiment.name)
            final = final_rows(table)
            pq.write_table(final, unfinished / SCORES, compression="zstd", compression_level=19)
            has_history = final.num_rows < table.num_rows
            if has_history:
                pq.write_table(_history(table), unfinished / HISTORY, compression="zstd", compression_level=19)
            pq.write_table(summary, unfinished / f"{TABLE}.parquet", compression="zstd")
            (unfinished / f"{TABLE}.md").write_text(markdown_table(summary), encoding="utf-8")
            folders.write_json(unfinished / MANIFEST, document)
            tables = {"Table": summary, **experiment.tables(table)}
            text = page_text(experiment, tables, decisions, plan, document, has_history=has_history)
            (unfinished / PAGE).write_text(text, encoding="utf-8")
        shutil.rmtree(old, ignore_errors=True)
    return document


def final_rows(table: pa.Table) -> pa.Table:
    """The rows measured after the last epoch, without those of single epochs."""
    return table.filter(pc.is_null(table["epoch"])) if "epoch" in table.column_names else table


def table_digest(table: pa.Table) -> str:
    """Digest of a table's rows; two makings of the same results have the same digest.

    >>> table_digest(pa.table({"a": [1]})) == table_digest(pa.table({"a": pa.chunked_array([[1]])}))
    True
    """
    lines = (json.dumps(row, sort_keys=True) for row in table.to_pylist())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_manifests(into: Path) -> dict[str, dict[str, Any]]:
    """Read the manifests of all experiments in a folder."""
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
    experiment: Experiment, results: StoredResults, decisions: Sequence[ClaimDecision], plan: Plan
) -> dict[str, Any]:
    """The manifest of an experiment: how its runs were made, the plan, and claims with their findings."""
    table, groups = results.table, results.groups
    is_quick = any(group.quick for group in groups)
    counts = table.group_by(["source", "setup"]).aggregate([("seed", "count_distinct")])["seed_count_distinct"]
    return {
        "format": FORMAT,
        "experiment": experiment.name,
        "title": experiment.title,
        "commands": list(dict.fromkeys(group.command for group in groups)),
        "quick": is_quick,
        "runs": max(counts.to_pylist()),
        "groups": [group.document() for group in groups],
        "plan": {source: asdict(planned) for source, planned in plan.items()},
        "claims": [] if is_quick else [_claim_document(decision) for decision in decisions],
    }


def _claim_document(decision: ClaimDecision) -> dict[str, Any]:
    claim, summary = decision.claim, decision.summary
    return {
        "name": claim.name,
        "section": claim.section,
        "says": claim.says,
        "quantity": claim.quantity,
        "rule": claim.rule,
        "smallest_effect": claim.smallest_effect,
        "question": claim.question,
        "verdict": decision.verdict,
        "confirmatory_verdict": decision.confirmatory_verdict,
        "line": decision.line,
        "combinations": dict(decision.combinations),
        "first_rule": (claim.first or claim).rule,
        "summary": None if summary is None else asdict(summary),
        "summary_text": summary_text(decision),
        "findings": [
            _finding_document(finding) | {"kind": kind}
            for finding, kind in zip(decision.findings, decision.kinds, strict=True)
        ],
        "details": [_finding_document(finding) for finding in decision.details],
    }


def _finding_document(finding: ClaimFinding) -> dict[str, Any]:
    return {
        "where": finding.where,
        "source": finding.source,
        "estimate": finding.estimate,
        "low": finding.interval.low,
        "high": finding.interval.high,
        "runs": finding.seeds,
        "domains": finding.domains,
        "measured": estimate_text(finding),
        "verdict": finding.verdict,
        "halved": verdict_with_bounds_times(finding, 0.5),
        "doubled": verdict_with_bounds_times(finding, 2.0),
        "severity": None if (found := severity(finding)) is None else asdict(found),
    }


def page_text(
    experiment: Experiment,
    tables: Mapping[str, pa.Table],
    decisions: Sequence[ClaimDecision],
    plan: Plan,
    document: Mapping[str, Any],
    *,
    has_history: bool,
) -> str:
    """The README of an experiment's folder."""
    name = experiment.name
    remarks = "\n".join(f"- {remark}" for remark in experiment.remarks)
    history = f", per epoch: [{HISTORY}]({HISTORY})" if has_history else ""
    files = (
        f"All runs: [{SCORES}]({SCORES}){history}. Vector figure: [{name}.svg]({name}.svg)."
        f" Commands, versions, plan and digests: [{MANIFEST}]({MANIFEST})."
    )
    counting = [pair for decision in decisions for pair in zip(decision.findings, decision.kinds, strict=True)]
    details = [(finding, "does not count") for decision in decisions for finding in decision.details]
    verdicts = [
        *map(claim_text, decisions),
        f"## Decision rules\n\n{_rules(experiment.claims)}",
        plan_section(plan),
        f"## Findings\n\n{markdown_table(_findings_table(counting)).strip()}",
    ]
    if details:
        verdicts.append(f"## Single methods, which do not count\n\n{markdown_table(_findings_table(details)).strip()}")
    parts = (
        f"# {experiment.title}",
        QUICK if document["quick"] else "",
        f"{', '.join(f'`{command}`' for command in document['commands'])}: up to {document['runs']} runs per setup.",
        f"![{experiment.title}]({name}.png)",
        experiment.caption,
        *([] if document["quick"] else verdicts),
        *(f"## {title}\n\n{markdown_table(table).strip()}" for title, table in tables.items()),
        f"## Remarks\n\n{remarks}" if remarks else "",
        files,
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _rules(claims: Sequence[Claim]) -> str:
    lines = []
    for claim in claims:
        effect = f" Smallest effect that matters: {claim.smallest_effect}."
        lines.append(f"- *{claim.name}*: {claim.rule}{effect}")
        if claim.first is not None:
            lines.append(f"- *{claim.name}*, the first rule, replaced: {claim.first.rule}")
    return "\n".join(lines)


def _findings_table(findings: Sequence[tuple[ClaimFinding, str]]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "claim": finding.claim.name,
                "where": finding.where,
                "estimate": finding.estimate,
                "low": finding.interval.low,
                "high": finding.interval.high,
                "runs": str(finding.seeds or ""),
                "domains": str(finding.domains or ""),
                "verdict": finding.verdict if finding.rule != "first" else finding.first_verdict,
                "kind": kind,
            }
            for finding, kind in findings
        ]
    )
