"""Watches a deployed model from its bundle and its traffic, or from tables of its predictions, and nothing else.

Works alone on anyone's traffic log or table: `Monitor` is the door for notebooks, and `DriftDetector` its test for one
stream of scores. Importing this package loads no TensorFlow, Keras, TFDV or Evidently: each room imports what it needs
when it needs it. The rooms, and which may import which, are listed in `setup.cfg` and drawn in `docs/architecture.md`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from monitoring.errors import BadInput, CannotRun, PitfallsError

if TYPE_CHECKING:
    from monitoring.config.metric_section import MetricDraft
    from monitoring.evidence.drift_detector import DriftDetector
    from monitoring.notebook.drill import drill_monitor
    from monitoring.notebook.monitor import Monitor
    from monitoring.notebook.result import MonitorResult
    from monitoring.watches.custom.metric_rows import MetricRows

__all__ = [
    "BadInput",
    "CannotRun",
    "DriftDetector",
    "MetricDraft",
    "MetricRows",
    "Monitor",
    "MonitorResult",
    "PitfallsError",
    "drill_monitor",
]

#: Names imported at first use: the monitor loads Arrow, SQLAlchemy and pydantic, the detector numpy.
_LAZY = {
    "DriftDetector": "monitoring.evidence.drift_detector",
    "MetricDraft": "monitoring.config.metric_section",
    "MetricRows": "monitoring.watches.custom.metric_rows",
    "Monitor": "monitoring.notebook.monitor",
    "MonitorResult": "monitoring.notebook.result",
    "drill_monitor": "monitoring.notebook.drill",
}


def __getattr__(name: str) -> object:
    """Import a name at its first use."""
    if name not in _LAZY:
        raise AttributeError(f"module 'monitoring' has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    """The names that are imported at first use, too: for completion in notebooks."""
    return sorted({*globals(), *__all__})
