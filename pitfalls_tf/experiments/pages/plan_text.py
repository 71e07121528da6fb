"""The power plan in words: a section of each experiment's page, and a page over all experiments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from pitfalls_tf.experiments.pages.finding_text import markdown_table
from pitfalls_tf.experiments.power_plan import POWER, Plan, PlannedSource
from pitfalls_tf.training import run_folder as folders

PLAN_PAGE: Final = "PLAN.md"

HEAD: Final = f"""# The plan of the fresh runs

`pitfalls reproduce plan` computed it from the first runs, before any fresh run. It uses how much estimates vary, not
what they are: runs and domains are as many as give a power of {POWER:g} at the smallest effect that matters. Several
numbers of runs mean a sequential run: runs are added until all claims of the source are decided or the last number is
reached, and its intervals hold at every number of runs. Where the power is too low, even the largest affordable numbers
do not decide a claim on that source, and what they show is exploratory. Fresh runs have seeds that no first run had,
and those of letters typeface families that no first run was scored on.
"""


def plan_section(plan: Plan) -> str:
    """The section of an experiment's page; empty without a plan."""
    if not plan:
        return ""
    table = pa.Table.from_pylist(_rows(plan))
    return (
        "## Power, planned before the fresh runs\n\n"
        f"[The plan](../{PLAN_PAGE}) asks for a power of {POWER:g} at the smallest effect that matters.\n\n"
        f"{markdown_table(table).strip()}"
    )


def write_plan_page(plans: Mapping[str, Plan], into: Path) -> Path:
    """Write INTO/PLAN.md over all experiments."""
    parts = [HEAD]
    for name, plan in plans.items():
        parts.append(f"## {name}\n\n{markdown_table(pa.Table.from_pylist(_rows(plan))).strip()}\n")
    path = into / PLAN_PAGE

    def write(unfinished: Path) -> None:
        unfinished.write_text("\n".join(parts), encoding="utf-8")

    folders.write_atomically(path, write)
    return path


def _rows(plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "source": source,
            "claim": claim.claim,
            "smallest effect": claim.smallest_effect,
            "standard error, first runs": claim.standard_error,
            "runs for the power": _needed(planned, claim.runs),
            "fresh runs": _looks(planned),
            "fresh domains": _domains(planned),
            "power": claim.power,
        }
        for source, planned in plan.items()
        for claim in planned.claims
    ]


def _needed(planned: PlannedSource, runs: int | None) -> str:
    if not planned.looks:
        return "no fresh runs"
    return "none" if runs is None else f"{runs:,}"


def _domains(planned: PlannedSource) -> str:
    if not planned.looks:
        return ""
    return "the same domains" if planned.domains is None else f"{planned.domains}"


def _looks(planned: PlannedSource) -> str:
    return ", ".join(map(str, planned.looks)) if planned.looks else "0"
