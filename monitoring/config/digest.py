"""What identifies the settings under which evidence was gathered."""

from __future__ import annotations

import hashlib
import json

from monitoring.config.sections import MonitorConfig
from monitoring.config.values import budget_numbers


def settings_digest(config: MonitorConfig) -> str:
    """SHA-256, in hexadecimal, over what changes the meaning of evidence.

    That is how windows are cut, the budgets, the tolerances, the slices, and which columns are read as probabilities
    and truth. Evidence of another digest cannot be continued. Paths, the store, the schedule and who is told do not
    count, nor does the order of slices, nor another spelling of the same budget or length of time.
    """
    traffic, windows, tolerance = config.traffic, config.windows, config.tolerance
    meaning: dict[str, object] = {
        "probabilities": config.model.probabilities,
        "classes": config.model.classes,
        "slices": sorted(traffic.slices),
        "columns": [traffic.event_time, traffic.prediction_id, traffic.label, traffic.scores],
        "windows": [
            windows.every,
            windows.timezone,
            windows.lateness.total_seconds(),
            windows.min_rows,
            windows.label_horizon.total_seconds(),
        ],
        "budget": {"page": budget_numbers(config.budget.page), "notice": budget_numbers(config.budget.notice)},
        "tolerance": {"error": tolerance.error, "brier": tolerance.brier, "integrity": tolerance.integrity},
    }
    # What has been added later counts where it is used, so that evidence gathered before is not lost.
    if config.model.baseline is not None:
        meaning |= {"label_time": traffic.label_time, "predicted": traffic.predicted}
    if traffic.naive_timezone != "UTC":
        meaning |= {"naive_timezone": traffic.naive_timezone}
    if traffic.class_slices:
        meaning |= {"class_slices": sorted(traffic.class_slices)}
    if windows.rows is not None:
        meaning |= {"rows": windows.rows}
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()
