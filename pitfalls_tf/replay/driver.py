"""Sends a replay's requests and labels over HTTP, a few at a time, in an order that a live client could have had."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import orjson
import uvloop

from pitfalls_tf.replay.columns import FeatureColumns, read_specs
from pitfalls_tf.replay.connection import Connection
from pitfalls_tf.replay.plan import make_itinerary
from pitfalls_tf.replay.resume import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import pyarrow as pa

    from pitfalls_tf.replay.plan import Itinerary, PlannedLabel, PlannedRequest, ReplayPlan
    from pitfalls_tf.replay.resume import AlreadyLogged

LABELS_A_POST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayLink:
    """How a replay and its server are tied together."""

    token: str | None = None
    """Opens ``POST /monitor/labels``."""
    already: AlreadyLogged = NOTHING
    """What need not be sent again."""
    on_disconnect: Callable[[], str] | None = None
    """Called when the server is gone; may start it again, and gives its URL. The same request is then sent again."""
    in_flight: int = 4
    """Requests that may be on their way at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayProgress:
    """How far a replay is."""

    rows: int
    """Rows done, those skipped included."""
    total: int
    labels: int
    now: datetime
    """The simulated time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySummary:
    """What a replay did."""

    requests: int
    rows: int
    labels: int
    skipped_rows: int
    """Rows and labels that were in the log already."""
    skipped_labels: int
    reconnects: int
    seconds: float


def _ignore(progress: ReplayProgress) -> None:
    """Nobody watches."""


def replay(
    table: pa.Table,
    *,
    url: str,
    model: str | None,
    plan: ReplayPlan,
    progress: Callable[[ReplayProgress], None] = _ignore,
    link: ReplayLink | None = None,
) -> ReplaySummary:
    """Send a table's rows to a server in event-time order, and the labels as their times come.

    A label is posted before the first request at or after its time, when the answer it is about has come; those that
    are left at the end follow then. The feature columns are those that the model's ``serving_default`` names as inputs;
    float nulls are sent as NaN. ``model`` None means the only one that is served. Do not call it inside an event loop.

    Raises:
        BadInput: a column is missing or does not fit, or the server refuses a request or the labels.
        CannotRun: the server cannot be reached, or stays gone.
    """
    link = link or ReplayLink()
    return uvloop.run(_Drive(plan, progress, link).run(table, url, model))


@final
class _Drive:
    """One replay on its way."""

    def __init__(self, plan: ReplayPlan, progress: Callable[[ReplayProgress], None], link: ReplayLink) -> None:
        self._plan = plan
        self._progress = progress
        self._link = link
        self._requests = self._rows = self._labels = self._skipped_rows = self._skipped_labels = 0

    async def run(self, table: pa.Table, url: str, model: str | None) -> ReplaySummary:
        started = time.monotonic()
        async with Connection(url, token=self._link.token, on_disconnect=self._link.on_disconnect) as connection:
            name = model or await connection.only_model()
            specs = read_specs(await connection.metadata(name))
            itinerary = make_itinerary(table, self._plan)
            columns = FeatureColumns(itinerary.table, specs)
            await self._send_all(connection, name, itinerary, columns)
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
        self, connection: Connection, model: str, itinerary: Itinerary, columns: FeatureColumns
    ) -> None:
        path = f"/v1/models/{model}:predict"
        room = asyncio.Semaphore(self._link.in_flight)
        flying: dict[int, asyncio.Task[None]] = {}
        total = itinerary.table.num_rows

        async def fly(index: int, request: PlannedRequest) -> None:
            try:
                body = columns.body(request.start, request.stop, self._plan.form)
                await connection.predict(path, body, request)
            finally:
                room.release()
            del flying[index]
            self._requests += 1
            self._rows += request.stop - request.start
            done = self._rows + self._skipped_rows
            self._progress(ReplayProgress(rows=done, total=total, labels=self._labels, now=request.event_time))

        try:
            async with asyncio.TaskGroup() as group:
                for index, request in enumerate(itinerary.requests):
                    await self._post(connection, itinerary.labels[index], flying)
                    if request.request_id in self._link.already.request_ids:
                        self._skipped_rows += request.stop - request.start
                        continue
                    await room.acquire()
                    flying[index] = group.create_task(fly(index, request))
        except BaseExceptionGroup as errors:
            # Requests fly together and may fail together, of one cause; the first to fail says it.
            raise errors.exceptions[0] from None
        await self._post(connection, itinerary.labels[-1], {})

    async def _post(
        self, connection: Connection, labels: Sequence[PlannedLabel], flying: dict[int, asyncio.Task[None]]
    ) -> None:
        """Post labels that are due, once the answers they are about have come."""
        fresh = [label for label in labels if label.prediction_id not in self._link.already.labelled]
        self._skipped_labels += len(labels) - len(fresh)
        awaited = [flying[index] for index in {label.request for label in fresh} & flying.keys()]
        if awaited:
            await asyncio.wait(awaited)
        for start in range(0, len(fresh), LABELS_A_POST):
            chunk = fresh[start : start + LABELS_A_POST]
            await connection.label(orjson.dumps({"labels": [_entry(label) for label in chunk]}))
            self._labels += len(chunk)


def _entry(label: PlannedLabel) -> dict[str, object]:
    return {"prediction_id": label.prediction_id, "label": label.label, "label_time": label.label_time}
