"""Every answered prediction into the traffic log, before its answer leaves.

A log that cannot be written does not fail the prediction, unless the server was told to refuse it then: the rows are
counted as lost, and the gap is a record of its own. No answer goes missing in silence.
"""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np

from monitoring.errors import BadInput
from monitoring.traffic.format.rows import AnsweredRows
from serving.capture.log_sink import LogSink, RowWriter
from serving.capture.model_logging import ModelLogging
from serving.metrics.metrics import TrafficCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from monitoring.traffic.log.gaps import Gap
    from monitoring.traffic.log.redaction import Redaction
    from serving.models.served_version import ServedVersion
    from serving.models.signatures import Signature

    Array = np.ndarray[Any, Any]

_WHOLLY = ModelLogging()


class Caller(NamedTuple):
    """Who asked and when, as far as the log cares. Times are microseconds since 1970, UTC.

    (A named tuple: made for every request, at a third of a frozen dataclass's cost.)
    """

    request_id: str
    event_time_us: int
    arrived_us: int


class AnsweredBatch(NamedTuple):
    """One executed batch: whose rows it holds, what went in and what came out.

    The leading axis of every tensor counts ``sum(counts)`` rows, those of the first caller first. (A named tuple for
    its cost, as a caller is.)
    """

    served: ServedVersion
    signature: Signature
    callers: Sequence[Caller]
    counts: Sequence[int]
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]
    answered_us: int


@final
class Capture:
    """Logs what is answered, each model as it is to be logged. Without a log it does nothing. Thread-safe.

    ``writer`` is the server's own log, or a sink made of one. ``open_sink`` opens those that a model has elsewhere.
    """

    def __init__(
        self,
        writer: RowWriter | LogSink | None,
        *,
        redaction: Redaction | None = None,
        open_sink: Callable[[Path], LogSink] | None = None,
        waits_for_disk: bool = False,
    ) -> None:
        self._own = writer if isinstance(writer, LogSink) or writer is None else LogSink(writer)
        self._redaction = redaction
        self._open_sink = open_sink
        self._elsewhere: dict[Path, LogSink] = {}
        self._models: Mapping[str, tuple[ModelLogging, LogSink | None]] = {}
        self.waits_for_disk = waits_for_disk
        """Whether `record` waits for the disk, and so must not be called in an event loop."""
        self._rows_unsampled = 0

    def log_models(self, models: Mapping[str, ModelLogging]) -> None:
        """From now on log these models like that, and all others wholly, in the server's own log. May be called again.

        Raises:
            BadInput: a model is to be logged where there is no log.
            CannotRun: a log elsewhere cannot be written.
        """
        self._models = {name: (each, self._sink(name, each)) for name, each in models.items()}

    @property
    def writes(self) -> bool:
        """Whether there is a log at all."""
        return self._own is not None or bool(self._models)

    def record(self, batch: AnsweredBatch) -> bool:
        """Log a batch by one append; never raises for a log that cannot be written.

        Whether the answers may leave: not if the log could not take them and the server is to refuse them then.
        """
        logging, sink = _WHOLLY, self._own
        if self._models:
            logging, sink = self._models.get(batch.served.model, (_WHOLLY, self._own))
        if sink is None or not any(batch.counts):
            return True
        if logging.sampling_rate < 1.0:
            sampled = logging.sample([caller.request_id for caller in batch.callers])
            taken = batch if all(sampled) else _picked(batch, sampled)
            self._rows_unsampled += sum(batch.counts) - sum(taken.counts)
            batch = taken
            if not any(batch.counts):
                return True
        return sink.write(_rows(batch, self._redaction, logging.sampling_rate))

    def counts(self) -> TrafficCounts:
        """What became of the answered rows until now, over all logs."""
        sinks = self._sinks()
        return TrafficCounts(
            rows_logged=sum(sink.rows_logged for sink in sinks),
            rows_lost=sum(sink.rows_lost for sink in sinks),
            rows_refused=sum(sink.rows_refused for sink in sinks),
            rows_unsampled=self._rows_unsampled,
            is_losing=any(sink.open_gap is not None for sink in sinks),
        )

    @property
    def open_gap(self) -> Gap | None:
        """What has been lost since a log stopped taking rows; None while all take them."""
        return next((sink.open_gap for sink in self._sinks() if sink.open_gap is not None), None)

    @property
    def gaps(self) -> list[Gap]:
        """Gaps that are over, of each log the last 100."""
        return [gap for sink in self._sinks() for gap in sink.gaps]

    def _sinks(self) -> list[LogSink]:
        return [*([] if self._own is None else [self._own]), *self._elsewhere.values()]

    def _sink(self, model: str, logging: ModelLogging) -> LogSink | None:
        if logging.sampling_rate == 0.0:
            return self._own
        if logging.folder is None or self._open_sink is None:
            if self._own is None:
                raise BadInput(
                    f"{model!r} is to be logged, and there is no traffic log.",
                    got=f"a sampling rate of {logging.sampling_rate} without a filename_prefix",
                    expected="a folder for the log",
                    fix="Give filename_prefix in the model config file, or --traffic.",
                )
            return self._own
        folder = logging.folder
        if folder not in self._elsewhere:
            self._elsewhere[folder] = self._open_sink(folder)
        return self._elsewhere[folder]


def _picked(batch: AnsweredBatch, kept: Sequence[bool]) -> AnsweredBatch:
    """The part of a batch that belongs to some of its callers."""
    rows = np.repeat(kept, batch.counts)
    return batch._replace(
        callers=list(compress(batch.callers, kept)),
        counts=list(compress(batch.counts, kept)),
        inputs={name: value[rows] for name, value in batch.inputs.items()},
        outputs={name: value[rows] for name, value in batch.outputs.items()},
    )


def _rows(batch: AnsweredBatch, redaction: Redaction | None, sampling_rate: float) -> AnsweredRows:
    callers, counts = batch.callers, batch.counts
    answered_us = batch.answered_us
    request_ids = [one.request_id for one in callers]
    # Lists: of few rows, numpy costs more than all the rest.
    rows: list[int] | Array = [0] * len(counts)
    event_times: list[int] | Array = [one.event_time_us for one in callers]
    latencies: list[int] | Array = [max(0, answered_us - one.arrived_us) for one in callers]
    if counts.count(1) != len(counts):
        request_ids = [name for name, count in zip(request_ids, counts, strict=True) for _ in range(count)]
        first = np.cumsum(counts, dtype=np.int32) - np.array(counts, np.int32)
        rows = np.arange(len(request_ids), dtype=np.int32) - np.repeat(first, counts)
        event_times, latencies = np.repeat(event_times, counts), np.repeat(latencies, counts)
    return AnsweredRows(
        model=batch.served.model,
        version=batch.served.number,
        signature=batch.signature.name,
        request_ids=request_ids,
        rows=rows,
        event_times_us=event_times,
        answered_at_us=answered_us,
        latencies_us=latencies,
        inputs=batch.inputs if redaction is None else redaction.apply(batch.inputs),
        outputs=batch.outputs if redaction is None else redaction.apply(batch.outputs),
        sampling_rate=sampling_rate,
    )
