"""The columns of the traffic log's rows, and a batch of answered rows before it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput

TIMESTAMP = pa.timestamp("us", tz="UTC")
ROW_FIELDS: tuple[pa.Field, ...] = (
    pa.field("request_id", pa.string(), nullable=False),
    pa.field("row", pa.int32(), nullable=False),
    pa.field("event_time", TIMESTAMP, nullable=False),
    pa.field("answered_at", TIMESTAMP, nullable=False),
    pa.field("latency_us", pa.int64(), nullable=False),
    pa.field("answer_id", pa.string(), nullable=False),
    pa.field("caller_principal", pa.string(), nullable=False),
    pa.field("caller_peer", pa.string(), nullable=False),
)
#: Columns that logs of earlier versions lack, and whose text is empty where there is none; readers have null for both.
ANSWER_ID, PRINCIPAL, PEER = "answer_id", "caller_principal", "caller_peer"
CALLER = (PRINCIPAL, PEER)
#: What answer ids begin with; no request id does.
OWN_IDS = "pitfalls-"
#: The longest label: longer text is no class name.
LABEL_CHARACTERS = 1024

#: The longest id of a prediction.
ID_CHARACTERS = 160
MODEL_KEY = b"pitfalls.model"
VERSION_KEY = b"pitfalls.version"
SIGNATURE_KEY = b"pitfalls.signature"
RATE_KEY = b"pitfalls.sampling_rate"  # the share of requests that are logged; absent where all are
QUARANTINE_KEY = b"pitfalls.quarantine"  # there where event times are out of the server's range
SAMPLING_RATE = "sampling_rate"
INPUT = "input:"
OUTPUT = "output:"

# What a Python datetime can hold, with a day to spare for time zones.
FIRST_US = int(np.datetime64("0001-01-02", "us").astype(np.int64))
LAST_US = int(np.datetime64("9999-12-30", "us").astype(np.int64))


@dataclass(frozen=True, slots=True, order=True)
class ModelKey:
    """The model, its version and the signature that answered.

    >>> ModelKey("flights", 3, "serving_default") < ModelKey("flights", 10, "explain")
    True
    """

    model: str
    version: int
    signature: str

    @classmethod
    def of(cls, schema: pa.Schema, file: str = "") -> ModelKey:
        """The model whose answers a segment or a part holds."""
        metadata = schema.metadata or {}
        try:
            return cls(metadata[MODEL_KEY].decode(), int(metadata[VERSION_KEY]), metadata[SIGNATURE_KEY].decode())
        except KeyError as error:
            raise BadInput(
                "A file in the traffic log was not written by its writer.",
                got=f"{f'{file}, ' if file else ''}a schema without {error.args[0].decode()}",
                expected="model, version and signature in the schema's metadata",
                fix="Move files of other programs out of the folder.",
            ) from None

    @property
    def metadata(self) -> dict[bytes, bytes]:
        """The schema metadata that `of` reads."""
        return {
            MODEL_KEY: self.model.encode(),
            VERSION_KEY: str(self.version).encode(),
            SIGNATURE_KEY: self.signature.encode(),
        }


def prediction_ids(table: pa.Table) -> pa.Array:
    """The ids of stored rows, by their columns request_id and row: strings [n]."""
    return pc.binary_join_element_wise(table["request_id"], table["row"].cast(pa.string()), ":").combine_chunks()


def answer_ids(table: pa.Table) -> pa.Array:
    """The server's own ids of stored rows: strings [n]; of rows that have none they begin with a colon."""
    return pc.binary_join_element_wise(table[ANSWER_ID], table["row"].cast(pa.string()), ":").combine_chunks()


def sampling_rate_of(schema: pa.Schema) -> float:
    """The share of all requests that was logged, from the schema of a segment or part."""
    return float((schema.metadata or {}).get(RATE_KEY, b"1"))


def is_quarantined(schema: pa.Schema) -> bool:
    """Whether the rows of a segment or part are in quarantine."""
    return QUARANTINE_KEY in (schema.metadata or {})


@dataclass(slots=True, kw_only=True, eq=False)  # not frozen, which would cost 2 µs for each batch
class AnsweredRows:
    """One batch of answered rows, ready for the log. Nothing changes it.

    Every sequence and the leading axis of every tensor has length n, the number of rows. Tensors of strings are object
    (or `S`) arrays of bytes. Times are microseconds since 1970, UTC; latencies are microseconds. The log ignores a
    batch of zero rows.

    >>> AnsweredRows(
    ...     model="flights",
    ...     version=1,
    ...     signature="serving_default",
    ...     request_ids=["a", "a"],
    ...     rows=[0, 1],
    ...     event_times_us=np.array([0, 1]),
    ...     answered_at_us=2,
    ...     latencies_us=np.array([2, 1]),
    ...     inputs={"temp": np.array([39.0, 41.0], np.float32)},
    ...     outputs={"probabilities": np.ones((2, 2), np.float32)},
    ... ).count
    2
    """

    model: str
    version: int
    signature: str
    request_ids: Sequence[str]
    rows: Sequence[int] | np.ndarray
    event_times_us: Sequence[int] | np.ndarray
    answered_at_us: int
    latencies_us: Sequence[int] | np.ndarray
    inputs: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]
    sampling_rate: float = 1.0
    """The share of all requests that were chosen to be logged, as these were."""
    answer_ids: Sequence[str] = ()
    """The server's own ids, empty for rows whose request id is that; without any, all are empty."""
    principals: Sequence[str] = ()
    """The names by which callers have shown who they are; as above."""
    peers: Sequence[str] = ()
    """The addresses of callers; as above."""
    quarantined: bool = False
    """Whether the event times are out of the server's range."""

    @property
    def texts(self) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
        """The columns of text that may be left out, in the order of `ROW_FIELDS`."""
        return self.answer_ids, self.principals, self.peers

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.request_ids)

    def check_lengths(self) -> None:
        """Check that every part has one entry per row."""
        parts: dict[str, Any] = {
            "rows": self.rows,
            "event_times_us": self.event_times_us,
            "latencies_us": self.latencies_us,
        }
        texts = {"answer_ids": self.answer_ids, "principals": self.principals, "peers": self.peers}
        parts |= {name: part for name, part in texts.items() if len(part)}
        for group in (parts, self.inputs, self.outputs):
            for name, part in group.items():
                if np.ndim(part) < 1 or len(part) != self.count:
                    raise BadInput(
                        f"The parts of the batch differ in length: {name!r} and request_ids.",
                        got=f"{len(part)} entries" if np.ndim(part) else "a single number",
                        expected=f"{self.count}, one per row",
                        fix="Hand over the rows of one batch, padding removed.",
                    )

    def check_times(self) -> None:
        """Check that every event time lies between `FIRST_US` and `LAST_US`."""
        times = self.event_times_us
        if isinstance(times, np.ndarray):
            first, last = int(times.min()), int(times.max())
        else:  # a list, of few rows: NumPy would cost more
            first, last = min(times), max(times)
        if first < FIRST_US or last > LAST_US:
            raise BadInput(
                "An event time is out of range.",
                got=f"{first} to {last} microseconds since 1970",
                expected="years 1 to 9999",
                fix="Check the unit: microseconds, not nanoseconds.",
            )
