"""A drill in a notebook: of a monitor, with live rows in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitoring.config import load_config
from monitoring.drills.drill import DrillRequest, run_drill
from monitoring.notebook.frames import stored
from monitoring.notebook.monitor import Monitor
from monitoring.records import DrillRecord
from monitoring.store.store import Store


def drill_monitor(
    monitor: Monitor,
    live: Any = None,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    **asked: Any,
) -> DrillRecord:
    """Plant faults in replayed rows of a monitor, and see whether and when it tells; as `pitfalls drill run` does.

    >>> drill_monitor(Monitor.open("lender"), live, faults=("unit", "labels-stop"))  # doctest: +SKIP
    DrillRecord(lender, 2026-03-01 12:00: 1 of 2 faults detected; missed: labels stop.)

    Args:
        monitor: The monitor.
        live: The live rows that it has judged, as for `Monitor.run`; None: the reference is replayed.
        clock: Gives the time.
        **asked: The fields of `monitoring.drills.drill.DrillRequest`: `faults`, `windows`, `replicates`, `seed`, `by`.

    Returns:
        The drill, which the monitor's store has too.

    Raises:
        BadInput: There is no such fault, or `live` is no table.
        CannotRun: A file cannot be read.
    """
    config = load_config(monitor.config)
    with tempfile.TemporaryDirectory(prefix="pitfalls-drill-") as scratch, Store.open(config.store.url) as store:
        if live is not None:
            names = config.traffic.event_time, config.traffic.prediction_id
            path = stored(live, Path(scratch) / "live.parquet", event_time=names[0], ids=names[1])
            config = config.model_copy(update={"traffic": config.traffic.with_path(path.absolute())})
        record = run_drill(config, store, DrillRequest(**asked), clock=clock)
        store.drills.save(record)
    return record
