"""Sends a replay's requests and labels over HTTP, a few at a time, in an order possible for live clients."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import orjson
import pyarrow.compute as pc
import uvloop

from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.log.log import TrafficLog
from pitfalls_tf.replay.columns import FeatureColumns, read_specs
from pitfalls_tf.replay.connection import ServerConnection
from pitfalls_tf.replay.plan import schedule_replay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from pitfalls_tf.replay.plan import PlannedLabel, PlannedRequest, ReplayPlan, ReplaySchedule


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedTraffic:
    """What is in a traffic log."""

    request_ids: frozenset[str] = frozenset()
    labelled: frozenset[str] = frozenset()


NOTHING_LOGGED = LoggedTraffic()


def already_logged(traffic: Path) -> LoggedTraffic:
    """Read the ids in a traffic log. All rows of a request are logged together."""
    log = TrafficLog(traffic)
    request_ids: set[str] = set()
    for model in {key.model for key in log.models()}:
        request_ids.update(pc.unique(log.read(model=model, columns=["request_id"]).column("request_id")).to_pylist())
    labelled = pc.unique(LabelLog(traffic).read().column("prediction_id")).to_pylist()
    return LoggedTraffic(request_ids=frozenset(request_ids), labelled=frozenset(labelled))


LABELS_PER_POST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """How a replay talks to its server."""

    token: str | None = None
    """Token for ``POST /monitor/labels``."""
    already: LoggedTraffic = NOTHING_LOGGED
    """Requests and labels that are not sent again."""
    on_disconnect: Callable[[], str] | None = None
    """Called when the server is gone; may restart it, and returns its URL. The request is then repeated."""
    in_flight: int = 4
    """Maximum number of concurrent requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayProgress:
    """Progress of a replay."""

    rows: int
    """Finished rows, including skipped ones."""
    total: int
    labels: int
    now: datetime
    """The simulated time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySummary:
    """Counts of a finished replay."""

    requests: int
    rows: int
    labels: int
    skipped_rows: int
    """Rows and labels that were already in the log."""
    skipped_labels: int
    reconnects: int
    seconds: float


def _ignore(progress: ReplayProgress) -> None:
    """Default progress callback."""


def replay(
    table: pa.Table,
    *,
    url: str,
    model: str | None,
    plan: ReplayPlan,
    progress: Callable[[ReplayProgress], None] = _ignore,
    options: ReplayOptions | None = None,
) -> ReplaySummary:
    """Send a table's rows to a server in event-time order, and labels in the order of their times.

    A label is posted before the first request at or after its label time, once its prediction has been received; the
    remaining labels are posted at the end. The columns sent are the inputs of the model's ``serving_default``; float
    nulls are sent as NaN. Must not be called inside an event loop.

    Args:
        model: name of the model; None for the only one.
    """
    return uvloop.run(_ReplaySession(plan, progress, options or ReplayOptions()).run(table, url, model))


@final
class _ReplaySession:
    """A running replay."""

    def __init__(self, plan: ReplayPlan, progress: Callable[[ReplayProgress], None], options: ReplayOptions) -> None:
        self._plan = plan
        self._progress = progress
        self._options = options
        self._requests = self._rows = self._labels = self._skipped_rows = self._skipped_labels = 0

    async def run(self, table: pa.Table, url: str, model: str | None) -> ReplaySummary:
        started = time.monotonic()
        async with ServerConnection(
            url, token=self._options.token, on_disconnect=self._options.on_disconnect
        ) as connection:
            name = model or await connection.only_model()
            specs = read_specs(await connection.metadata(name))
            schedule = schedule_replay(table, self._plan)
            columns = FeatureColumns(schedule.table, specs)
            await self._send_all(connection, name, schedule, columns)
            return ReplaySummary(
                requests=self._requests,
                rows=self._rows,
                labels=self._labels,
                skipped_rows=self._skipped_rows,
                skipped_labels=self._skipped_labels,
                reconnects=connection.reconnects,
                seconds=time.monotonic() - started,
            )

    async def _send_all(
        self, connection: ServerConnection, model: str, schedule: ReplaySchedule, columns: FeatureColumns
    ) -> None:
        path = f"/v1/models/{model}:predict"
        slots = asyncio.Semaphore(self._options.in_flight)
        pending: dict[int, asyncio.Task[None]] = {}
        total = schedule.table.num_rows

        async def send(index: int, request: PlannedRequest) -> None:
            try:
                body = columns.body(request.start, request.stop, self._plan.form)
                await connection.predict(path, body, request)
            finally:
                slots.release()
            del pending[index]
            self._requests += 1
            self._rows += request.stop - request.start
            done = self._rows + self._skipped_rows
            self._progress(ReplayProgress(rows=done, total=total, labels=self._labels, now=request.event_time))

        try:
            async with asyncio.TaskGroup() as group:
                for index, request in enumerate(schedule.requests):
                    await self._post(connection, schedule.labels[index], pending)
                    if request.request_id in self._options.already.request_ids:
                        self._skipped_rows += request.stop - request.start
                        continue
                    await slots.acquire()
                    pending[index] = group.create_task(send(index, request))
        except BaseExceptionGroup as errors:
            # Concurrent requests may fail together for one reason; the first error names it.
            raise errors.exceptions[0] from None
        await self._post(connection, schedule.labels[-1], {})

    async def _post(
        self, connection: ServerConnection, labels: Sequence[PlannedLabel], pending: dict[int, asyncio.Task[None]]
    ) -> None:
        """Post due labels after their predictions have been received."""
        fresh = [label for label in labels if label.prediction_id not in self._options.already.labelled]
        self._skipped_labels += len(labels) - len(fresh)
        awaited = [pending[index] for index in {label.request for label in fresh} & pending.keys()]
        if awaited:
            await asyncio.wait(awaited)
        for start in range(0, len(fresh), LABELS_PER_POST):
            chunk = fresh[start : start + LABELS_PER_POST]
            await connection.label(orjson.dumps({"labels": [_entry(label) for label in chunk]}))
            self._labels += len(chunk)


def _entry(label: PlannedLabel) -> dict[str, object]:
    return {"prediction_id": label.prediction_id, "label": label.label, "label_time": label.label_time}
