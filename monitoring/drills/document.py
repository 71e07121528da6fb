"""A drill as a JSON document; its keys are a contract."""

from __future__ import annotations

from typing import Any

from monitoring.records import DrillRecord, FaultResult

#: What is true of every drill of traffic that was logged.
AS_LOGGED = "Answers are those that the model gave to the rows as they were: a fault of inputs does not change them."


def drill_document(drill: DrillRecord) -> dict[str, Any]:
    """A drill as JSON.

    Args:
        drill: The drill.

    Returns:
        Plain values and aware times.
    """
    return {
        "deployment": drill.name,
        "version": drill.version,
        "drill": drill.number or None,
        "at": drill.at,
        "by": drill.by,
        "release": drill.release,
        "seed": drill.seed,
        "replicates": drill.replicates,
        "lead": drill.lead,
        "windows": drill.windows,
        "source": {
            "of": drill.source,
            "windows": drill.source_windows,
            "start": drill.source_start,
            "end": drill.source_end,
        },
        "without_fault": {
            "windows": drill.clean_windows,
            "pages": drill.false_pages,
            "notices": drill.false_notices,
        },
        "faults": [_fault(one) for one in drill.faults],
        "left_out": [{"fault": one.fault, "title": one.title, "reason": one.reason} for one in drill.unfit],
        "note": AS_LOGGED,
    }


def _fault(one: FaultResult) -> dict[str, Any]:
    return {
        "fault": one.fault,
        "title": one.title,
        "what": one.what,
        "touches": one.touches,
        "level": one.level,
        "promised": one.promised,
        "outcome": one.outcome,
        "told": len(one.told),
        "noticed": one.noticed,
        "median_delay": one.median_delay,
        "named_rightly": one.named_rightly,
        "cause": one.cause,
        "runs": [
            {
                "replicate": run.replicate,
                "column": run.column,
                "level": run.level,
                "delay": run.delay,
                "watch": run.watch,
                "slice": run.slice,
                "cause": run.cause,
                "named": run.named,
                "named_rightly": run.level is not None and run.named_rightly,
            }
            for run in one.runs
        ],
    }
