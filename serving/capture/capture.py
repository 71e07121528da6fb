"""Every answered prediction is written to the traffic log before its answer is sent.

If the log cannot be written, the prediction is answered all the same, unless the server is set to refuse it: its rows
are counted as lost, and the gap is recorded. No row goes missing uncounted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np

from monitoring.errors import BadInput
from monitoring.rollout.split.split_file import UNIT_COLUMN
from monitoring.traffic.format.rows import PEER, PRINCIPAL, AnsweredRows
from monitoring.traffic.log.gaps import Gap
from monitoring.traffic.log.redaction import Redaction
from serving.access.identity import NOBODY, Identity
from serving.capture.log_sink import LogSink, RowWriter
from serving.capture.model_logging import ModelLogging
from serving.metrics.metrics import TrafficCounts
from serving.models.served_version import ServedVersion
from serving.models.signatures import Signature

Array = np.ndarray[Any, Any]

_IDENTITIES_KEPT = 4096


@final
class LoggedCallers:
    """Makes the log's columns of callers. `redaction`: may drop or hash `caller_principal` and `caller_peer`."""

    def __init__(self, *, principal: bool = True, peer: bool = True, redaction: Redaction | None = None) -> None:
        dropped = frozenset() if redaction is None else redaction.dropped
        self._principal = principal and PRINCIPAL not in dropped
        self._peer = peer and PEER not in dropped
        self._redaction = redaction if redaction is not None and redaction.hashed & {PRINCIPAL, PEER} else None
        self._as_logged: dict[Identity, Identity] = {}

    def columns(self, identities: list[Identity]) -> tuple[list[str], list[str]]:
        """The columns of rows.

        >>> LoggedCallers(peer=False).columns([Identity("shop", "10.0.0.7")])
        (['shop'], [])
        """
        if self._redaction is not None:
            identities = [self._hashed(identity) for identity in identities]
        count, first = len(identities), identities[0]
        if identities.count(first) == count:  # of one client, or of one proxy: a comparison a row
            principal, peer = first
            return (
                [principal] * count if principal and self._principal else [],
                [peer] * count if peer and self._peer else [],
            )
        principals = [identity.principal for identity in identities] if self._principal else []
        return principals if any(principals) else [], [identity.peer for identity in identities] if self._peer else []

    def _hashed(self, identity: Identity) -> Identity:
        logged_identity = self._as_logged.get(identity)
        if logged_identity is None and self._redaction is not None:
            if len(self._as_logged) >= _IDENTITIES_KEPT:
                self._as_logged.clear()
            pairs = zip((PRINCIPAL, PEER), identity, strict=True)
            logged_identity = self._as_logged[identity] = Identity(
                *(self._redaction.text(name, text) for name, text in pairs)
            )
        return logged_identity or identity


_ALL_REQUESTS = ModelLogging()


class Caller(NamedTuple):
    """Who asks, and id and times of the request, as they are logged. Times are microseconds since 1970, UTC.

    (A named tuple: made for every request, at a third of a frozen dataclass's cost.)
    """

    request_id: str
    event_time_us: int
    arrived_us: int
    identity: Identity = NOBODY
    answer_id: str = ""
    """The server's own id, which no client chooses; empty if the request's id is that."""
    is_in_range: bool = True
    """Whether the event time is in the server's range."""
    unit: str = ""
    """What it is assigned to a version by, in a split; empty without one."""

    def part(self, name: str) -> Caller:
        """The caller of one of several parts of a request, whose answers have ids of their own."""
        answer_id = f"{self.answer_id}/{name}" if self.answer_id else ""
        return self._replace(request_id=f"{self.request_id}/{name}", answer_id=answer_id)


class AnsweredBatch(NamedTuple):
    """One executed batch: the requests whose rows it holds, its inputs and its outputs.

    The leading axis of every tensor has ``sum(counts)`` rows, those of the first caller first. (A named tuple for its
    cost, as `Caller` is.)
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
    """Logs answered batches, each model as it is configured. Without a log it does nothing. Thread-safe.

    Args:
        writer: The server's own log, or a sink of it; None if it has none.
        open_sink: Opens a log in another folder, for models that are logged there.
        waits_for_disk: Whether `record` waits for the disk.
        sampling_key: A secret, so that clients cannot choose ids that are in no sample.
    """

    def __init__(
        self,
        writer: RowWriter | LogSink | None,
        *,
        redaction: Redaction | None = None,
        open_sink: Callable[[Path], LogSink] | None = None,
        waits_for_disk: bool = False,
        sampling_key: bytes = b"",
        callers: LoggedCallers | None = None,
    ) -> None:
        self._default_sink = writer if isinstance(writer, LogSink) or writer is None else LogSink(writer)
        self._redaction = redaction
        self._sampling_key = sampling_key
        self._callers = callers or LoggedCallers()
        self._open_sink = open_sink
        self._model_sinks: dict[Path, LogSink] = {}
        self._models: Mapping[str, tuple[ModelLogging, LogSink | None]] = {}
        self.waits_for_disk = waits_for_disk
        """Whether `record` waits for the disk, so that it must not be called in an event loop."""
        self._counting = threading.Lock()
        self._rows_unsampled = 0
        self._rows_quarantined = 0

    def log_models(self, models: Mapping[str, ModelLogging]) -> None:
        """Set how models are logged from now on. May be called again."""
        self._models = {name: (each, self._sink(name, each)) for name, each in models.items()}

    @property
    def writes(self) -> bool:
        """Whether there is any log."""
        return self._default_sink is not None or bool(self._models)

    def record(self, batch: AnsweredBatch) -> bool:
        """Log a batch by one append. Never raises for a log that cannot be written.

        Returns:
            Whether the answers may be sent: False if the log cannot be written, and the server is set to refuse then.
        """
        logging, sink = _ALL_REQUESTS, self._default_sink
        if self._models:
            logging, sink = self._models.get(batch.served.model, (_ALL_REQUESTS, self._default_sink))
        if sink is None or not any(batch.counts):
            return True
        if logging.sampling_rate < 1.0:
            sampled = logging.sample([caller.request_id for caller in batch.callers], self._sampling_key)
            sample = batch if all(sampled) else _selected(batch, sampled)
            with self._counting:
                self._rows_unsampled += sum(batch.counts) - sum(sample.counts)
            batch = sample
            if not any(batch.counts):
                return True
        in_range = [caller.is_in_range for caller in batch.callers]
        if all(in_range):
            return sink.write(self._rows(batch, logging.sampling_rate))
        with self._counting:
            self._rows_quarantined += sum(compress(batch.counts, [not each for each in in_range]))
        written = [
            sink.write(self._rows(_selected(batch, chosen), logging.sampling_rate, quarantined=quarantined))
            for chosen, quarantined in ((in_range, False), ([not each for each in in_range], True))
            if any(chosen)
        ]
        return all(written)

    def counts(self) -> TrafficCounts:
        """Counts of rows over all logs, until now."""
        sinks = self._sinks()
        return TrafficCounts(
            rows_logged=sum(sink.rows_logged for sink in sinks),
            rows_lost=sum(sink.rows_lost for sink in sinks),
            rows_refused=sum(sink.rows_refused for sink in sinks),
            rows_unsampled=self._rows_unsampled,
            rows_quarantined=self._rows_quarantined,
            is_losing=any(sink.open_gap is not None for sink in sinks),
        )

    @property
    def open_gap(self) -> Gap | None:
        """What was lost since a log became unwritable; None while all can be written."""
        return next((sink.open_gap for sink in self._sinks() if sink.open_gap is not None), None)

    @property
    def gaps(self) -> list[Gap]:
        """Gaps that have ended, the last 100 of each log."""
        return [gap for sink in self._sinks() for gap in sink.gaps]

    def _rows(self, batch: AnsweredBatch, sampling_rate: float, *, quarantined: bool = False) -> AnsweredRows:
        counts, redaction, answered_us = batch.counts, self._redaction, batch.answered_us
        of_callers: Iterator[list[Any]] = map(list, zip(*batch.callers, strict=True))
        request_ids, times, arrivals, identities, answer_ids, _, units = of_callers
        # Lists: for few rows, NumPy costs more than all the rest.
        rows: list[int] | Array = [0] * len(counts)
        event_times: list[int] | Array = times
        latencies: list[int] | Array = [max(0, answered_us - arrived_us) for arrived_us in arrivals]
        if not any(answer_ids):
            answer_ids = []
        principals, peers = self._callers.columns(identities)
        if counts.count(1) != len(counts):
            request_ids, answer_ids, principals, peers = (
                [name for name, count in zip(names, counts, strict=True) for _ in range(count)] if names else []
                for names in (request_ids, answer_ids, principals, peers)
            )
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
            inputs=_with_units(batch.inputs if redaction is None else redaction.apply(batch.inputs), units, counts),
            outputs=batch.outputs if redaction is None else redaction.apply(batch.outputs),
            sampling_rate=sampling_rate,
            answer_ids=answer_ids,
            principals=principals,
            peers=peers,
            quarantined=quarantined,
        )

    def _sinks(self) -> list[LogSink]:
        return [*([] if self._default_sink is None else [self._default_sink]), *self._model_sinks.values()]

    def _sink(self, model: str, logging: ModelLogging) -> LogSink | None:
        if logging.sampling_rate == 0.0:
            return self._default_sink
        if logging.folder is None or self._open_sink is None:
            if self._default_sink is None:
                raise BadInput(
                    f"{model!r} is to be logged, and there is no traffic log.",
                    got=f"a sampling rate of {logging.sampling_rate} without a filename_prefix",
                    expected="a folder for the log",
                    fix="Give filename_prefix in the model config file, or --traffic.",
                )
            return self._default_sink
        folder = logging.folder
        if folder not in self._model_sinks:
            self._model_sinks[folder] = self._open_sink(folder)
        return self._model_sinks[folder]


def _with_units(inputs: Mapping[str, Array], units: Sequence[str], counts: Sequence[int]) -> Mapping[str, Array]:
    """The inputs with the column of a split's units, where one of the requests is part of a split."""
    if not any(units):
        return inputs
    texts = np.array([unit.encode() for unit in units], dtype=object)
    return {**inputs, UNIT_COLUMN: np.repeat(texts, counts)}


def _selected(batch: AnsweredBatch, mask: Sequence[bool]) -> AnsweredBatch:
    """The rows of some of the batch's callers."""
    rows = np.repeat(mask, batch.counts)
    return batch._replace(
        callers=list(compress(batch.callers, mask)),
        counts=list(compress(batch.counts, mask)),
        inputs={name: value[rows] for name, value in batch.inputs.items()},
        outputs={name: value[rows] for name, value in batch.outputs.items()},
    )
