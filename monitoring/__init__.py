"""Watches a deployed model from its bundle and its traffic, or from tables of its predictions, and nothing else.

Works alone on anyone's traffic log or table: `Monitor` is the door for notebooks. Importing this package loads no
TensorFlow, Keras, TFDV or Evidently: each room below imports what it needs when it needs it.

The rooms, from the ground up. Each imports only from the lines above its own, and names on one line do not know each
other::

    errors | atomic
    config | records
    traffic | store
    baseline
    watches | evidence
    reports | incidents
    jobs
    dashboard | drills
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitoring.errors import BadInput, CannotRun, PitfallsError

if TYPE_CHECKING:
    from monitoring.jobs.monitor import Monitor, TableVerdicts, watch_table

__all__ = ["BadInput", "CannotRun", "Monitor", "PitfallsError", "TableVerdicts", "watch_table"]

_OF_TABLES = frozenset({"Monitor", "TableVerdicts", "watch_table"})


def __getattr__(name: str) -> object:
    """The notebook's door, opened when it is asked for: it brings Arrow, SQLAlchemy and pydantic."""
    if name not in _OF_TABLES:
        raise AttributeError(f"module 'monitoring' has no attribute {name!r}")
    from monitoring.jobs import monitor  # noqa: PLC0415 - see above

    return getattr(monitor, name)
