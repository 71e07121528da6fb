"""Watches a deployed model from its bundle and its traffic, or from tables of its predictions, and nothing else.

Works alone on anyone's traffic log or table: `Monitor` is the door for notebooks, and `DriftDetector` its test for one
stream of scores. Importing this package loads no TensorFlow, Keras, TFDV or Evidently: each room below imports what it
needs when it needs it.

The rooms, from the ground up. Each imports only from the lines above its own, and names on one line do not know each
other::

    errors | timestamps | atomic | tracing
    config | records
    traffic | store
    baseline
    watches | evidence
    reports | incidents
    judging
    jobs
    dashboard | drills
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from monitoring.errors import BadInput, CannotRun, PitfallsError

if TYPE_CHECKING:
    from monitoring.drills.drill_monitor import drill_monitor
    from monitoring.evidence.drift_detector import DriftDetector
    from monitoring.jobs.monitor import Monitor, TableVerdicts, watch_table
    from monitoring.watches.custom.metric_rows import MetricRows

__all__ = [
    "BadInput",
    "CannotRun",
    "DriftDetector",
    "MetricRows",
    "Monitor",
    "PitfallsError",
    "TableVerdicts",
    "drill_monitor",
    "watch_table",
]

#: Names imported at first use: the monitor loads Arrow, SQLAlchemy and pydantic, the detector numpy.
_LAZY = {
    "DriftDetector": "monitoring.evidence.drift_detector",
    "MetricRows": "monitoring.watches.custom.metric_rows",
    "Monitor": "monitoring.jobs.monitor",
    "TableVerdicts": "monitoring.jobs.monitor",
    "drill_monitor": "monitoring.drills.drill_monitor",
    "watch_table": "monitoring.jobs.monitor",
}


def __getattr__(name: str) -> object:
    """Import a name at its first use."""
    if name not in _LAZY:
        raise AttributeError(f"module 'monitoring' has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
