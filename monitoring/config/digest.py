"""The digest of the settings under which evidence is gathered."""

from __future__ import annotations

import hashlib
import json

from monitoring.config.sections import MonitorConfig, ToleranceSection
from monitoring.config.values import budget_numbers


def settings_digest(config: MonitorConfig) -> str:
    """Hash what changes the meaning of evidence: windows, budgets, tolerances, slices, columns, callers, and name.

    Evidence of another digest cannot be continued. Paths, store, schedule and webhooks do not count, nor does the order
    of slices or another spelling of the same budget or duration.
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
    if config.deployment.name is not None:
        meaning |= {"name": config.deployment.name}
    any_cause = [tolerance.any_cause, tolerance.any_cause_share]
    if any_cause != [None, ToleranceSection().any_cause_share]:
        meaning |= {"any cause": any_cause}
    meaning |= _of_model(config) | _of_traffic(config)
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


def _of_model(config: MonitorConfig) -> dict[str, object]:
    """What the config says of the model's losses. Settings count where they are used, so that older evidence stays."""
    meaning: dict[str, object] = {}
    if config.cost.matrix:
        meaning |= {"cost": config.cost.matrix}
    if config.model.threshold != 0.5:
        meaning |= {"threshold": config.model.threshold}
    if config.model.quantile is not None:
        meaning |= {"quantile": config.model.quantile}
    if config.metric:
        metrics = [[m.name, m.function, m.inputs, m.tolerance, m.higher_is_better] for m in config.metric]
        meaning |= {"metric": sorted(metrics, key=str)}
    return meaning


def _of_traffic(config: MonitorConfig) -> dict[str, object]:
    """As `_of_model`, of the traffic and its windows."""
    traffic, windows = config.traffic, config.windows
    meaning: dict[str, object] = {}
    if config.model.baseline is not None:
        meaning |= {"label_time": traffic.label_time, "predicted": traffic.predicted}
    if traffic.naive_timezone != "UTC":
        meaning |= {"naive_timezone": traffic.naive_timezone}
    if windows.by_batch:
        meaning |= {"batches": windows.batch_column}
    some = {
        "label_columns": traffic.label_columns,
        "outputs": {name: output.model_dump() for name, output in traffic.outputs.items()},
        "class_slices": sorted(traffic.class_slices),
        "selection_groups": sorted(traffic.selection_groups),
        "exclude_callers": sorted(traffic.exclude_callers),
    }
    burn_in = config.baseline.burn_in
    settings = {
        "id_scores": traffic.id_scores,
        "burn_in": None if burn_in is None else burn_in.total_seconds(),
        "rows": windows.rows,
        "day_first": traffic.day_first,
    }
    meaning |= {name: value for name, value in some.items() if value}
    meaning |= {name: value for name, value in settings.items() if value is not None}
    return meaning
