"""A drill in a notebook: of a monitor, with live rows in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from monitoring.config import load_config
from monitoring.drills.drill import LEAD, REPLICATES, WINDOWS, DrillRequest, run_drill
from monitoring.notebook.frames import stored
from monitoring.notebook.monitor import Monitor, TableLike
from monitoring.records import DrillRecord
from monitoring.store.store import Store


def drill_monitor(  # noqa: PLR0913 - a front door: an editor completes what it can see
    monitor: Monitor,
    live: TableLike | None = None,
    *,
    faults: Sequence[str] = (),
    windows: int = WINDOWS,
    lead: int = LEAD,
    replicates: int = REPLICATES,
    seed: int = 0,
    by: str = "",
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> DrillRecord:
    """Plant faults in replayed rows of a monitor, and see whether and when it tells; as `pitfalls drill run` does.

    >>> drill_monitor(Monitor.open("lender"), live, faults=("unit", "labels-stop"))  # doctest: +SKIP
    DrillRecord(lender, 2026-03-01 12:00: 1 of 2 faults detected; missed: labels stop.)

    Args:
        live: The live rows that it has judged, as for `Monitor.run`; None: the reference is replayed.
        faults: The names of faults (`pitfalls drill list` lists them); none: all that fit.
        windows: Windows with the fault, at most.
        lead: Windows before it, at least.
        replicates: How often each fault is planted.
        seed: What the draws begin from.

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
        request = DrillRequest(
            faults=tuple(faults), windows=windows, lead=lead, replicates=replicates, seed=seed, by=by
        )
        record = run_drill(config, store, request, clock=clock)
        store.drills.save(record)
    return record
