"""Which settings begin a new deployment: all whose field does not say that it is uncounted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from pydantic.fields import FieldInfo

from monitoring.config.metric_section import MetricSection
from monitoring.config.section import UNCOUNTED, CountedAs, Section
from monitoring.config.sections import MonitorConfig
from monitoring.config.table_section import OutputSection

#: Settings of an output and of a metric that count at their default, too, in the order that digests have them.
_OLDEST = {
    OutputSection: ("label", "scores", "predicted"),
    MetricSection: ("name", "function", "inputs", "tolerance", "higher_is_better"),
}


class CountedSetting(NamedTuple):
    """What counts of a setting, as JSON has it, and what would of its default."""

    value: Any
    default: Any


def settings_digest(config: MonitorConfig) -> str:
    """Hash the settings that change the meaning of evidence, such as windows, budgets and columns.

    Evidence of another digest cannot be continued. A setting counts once it is not at its default, so that a new one
    leaves the digests of earlier configs as they are; the oldest ones count at their default, too. Not counted are
    those marked `UNCOUNTED`, and the order of slices or another spelling of the same budget or duration.
    """
    settings = counted_settings(config)

    def pop(*names: str) -> list[Any]:
        return [settings.pop(name).value for name in names]

    meaning: dict[str, Any] = {name: pop(name)[0] for name in ("probabilities", "classes", "slices")}
    meaning["columns"] = pop("event_time", "prediction_id", "label", "scores")
    meaning["windows"] = pop("every", "timezone", "lateness", "min_rows", "label_horizon")
    for section, names in (("budget", ("page", "notice")), ("tolerance", ("error", "brier", "integrity"))):
        meaning[section] = dict(zip(names, pop(*names), strict=True))
    if config.model.baseline is not None:  # those of tables count as the oldest do
        meaning |= {name: pop(name)[0] for name in ("label_time", "predicted")}
    if config.windows.by_batch:
        meaning["batches"] = pop("by_file", "batch_column")[1]
    if _changed({name: settings[name] for name in ("any_cause", "any_cause_share")}):
        meaning["any cause"] = pop("any_cause", "any_cause_share")
    settings["cost"] = settings.pop("matrix")
    settings["few labels"] = settings.pop("budget")  # of labels: whether there is one
    meaning |= _changed(settings)
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


def counted_settings(section: Section) -> dict[str, CountedSetting]:
    """The settings that count of a section, and of the sections in it, by their keys."""
    settings: dict[str, CountedSetting] = {}
    for name, field in type(section).model_fields.items():
        if UNCOUNTED in field.metadata:
            continue
        value = getattr(section, name)
        if isinstance(value, Section):
            settings |= counted_settings(value)
        else:
            default = None if field.is_required() else field.get_default(call_default_factory=True)
            settings[name] = CountedSetting(_counted(field, value), _counted(field, default))
    return settings


def _counted(field: FieldInfo, value: Any) -> Any:
    for mark in field.metadata:
        if isinstance(mark, CountedAs):
            return mark.counted(value)
    return _plain(value)


def _changed(settings: Mapping[str, CountedSetting]) -> dict[str, Any]:
    return {name: setting.value for name, setting in settings.items() if setting.value != setting.default}


def _plain(value: Any) -> Any:
    """A value as JSON has it; sections in a list of them in any order."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Section):
        return _nested(value)
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if not isinstance(value, tuple):
        return value
    parts = [_plain(part) for part in value]
    return sorted(parts, key=str) if any(isinstance(part, Section) for part in value) else parts


def _nested(section: Section) -> Any:
    settings = counted_settings(section)
    oldest = {name: settings.pop(name).value for name in _OLDEST.get(type(section), ())}
    later = _changed(settings)
    if isinstance(section, MetricSection):
        return [*oldest.values(), *([later] if later else [])]
    return oldest | later
