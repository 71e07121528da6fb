"""The engine that a config names."""

from __future__ import annotations

from collections.abc import Callable

from monitoring.config import MonitorConfig
from monitoring.jobs.engines.engine import Engine


def engine_of(config: MonitorConfig, meanwhile: Callable[[], None]) -> Engine | None:
    """The engine that reads the windows of a config's files.

    Returns:
        The engine; None where rows are read by the process that judges, without tasks.
    """
    if config.engine.kind == "processes":
        from monitoring.jobs.engines.processes import ProcessEngine  # noqa: PLC0415 - not needed by other engines

        return ProcessEngine(config.engine.workers, meanwhile=meanwhile)
    if config.engine.kind == "spark":
        from monitoring.jobs.engines.spark import SparkEngine, session  # noqa: PLC0415 - as above

        return SparkEngine(session(config.engine.master), meanwhile=meanwhile)
    return None
