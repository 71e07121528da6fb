"""A baseline's specification under the settings of a config: its costs, its quantile, its classes."""

from __future__ import annotations

from dataclasses import replace

from monitoring.baseline.spec import BaselineSpec
from monitoring.config import MonitorConfig
from monitoring.deployment.data_dictionary import check_columns
from monitoring.errors import BadInput


def configured(config: MonitorConfig, spec: BaselineSpec) -> BaselineSpec:
    """A baseline's specification with what the config says of the model's losses: costs, or the predicted quantile."""
    _check_classes(config, spec.task.classes)
    _check_burn_in(config, spec)
    check_columns(config, spec)
    if config.model.quantile is not None:
        with_quantile = spec.task.with_quantile(config.model.quantile)
        if with_quantile is None:
            raise BadInput(
                "A quantile is predicted by a model that predicts a number.",
                got=f"quantile = {config.model.quantile:g}, and a model that does not",
                expected="a baseline with a predicted number and numbers as labels",
                fix="Remove `quantile` from the [model] section.",
            )
        spec = replace(spec, other_task=with_quantile)
    return _with_costs(config, spec) if config.cost.matrix else spec


def _with_costs(config: MonitorConfig, spec: BaselineSpec) -> BaselineSpec:
    """The specification with the costs of the config; BadInput if they are not of its classes."""
    if len(config.cost.matrix) != len(spec.classes) or spec.task.outputs_watched is not None:
        raise BadInput(
            "The costs are not of the model's classes.",
            got=f"a matrix of {len(config.cost.matrix)} rows, and {len(spec.classes)} classes",
            expected=f"a row and a column for each of {', '.join(spec.classes)}"
            if spec.classes
            else "a model that gives each row one of several classes",
            fix="Change `matrix` in the [cost] section, or remove it.",
        )
    return replace(spec, costs=config.cost.matrix)


def _check_classes(config: MonitorConfig, classes: tuple[str, ...]) -> None:
    if config.model.classes and config.model.classes != classes:
        raise BadInput(
            "The classes are not those of the baseline.",
            got=", ".join(config.model.classes),
            expected=", ".join(classes),
            fix="Change `classes` in the [model] section, or make the baseline again: `pitfalls monitor init`, or by "
            "exporting the model.",
        )


def _check_burn_in(config: MonitorConfig, spec: BaselineSpec) -> None:
    """Raises BadInput for a burn-in of a reference whose dates say how much windows vary."""
    declared = config.baseline.burn_in
    if declared is not None and spec.rows_per_window is None:
        raise BadInput(
            "A burn-in is for a reference without dates.",
            got=f"burn_in = {declared.total_seconds() / 86_400:g} days, and a baseline with dates",
            expected="a baseline without event times, of which it is not known how much good windows differ",
            fix="Remove `burn_in` from the [baseline] section.",
        )
