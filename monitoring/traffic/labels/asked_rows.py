"""Which rows people were asked to label, with the probability of each: files beside the label log, for its owner alone.

A draw is a file: its rows' ids, when it was made and of what. No later draw is of a time that an earlier one covers, so
no row is asked for twice.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.atomic import replacing
from monitoring.errors import CannotRun
from monitoring.traffic.format.layout import LABELS

#: The folder of the draws of all deployments in a traffic log, or a table's label log: beside the labels' segments.
ASKED: Final = f"{LABELS}/asked"

_ABOUT = b"pitfalls.draw"
_SCHEMA = pa.schema(
    [
        pa.field("prediction_id", pa.string(), nullable=False),
        pa.field("event_time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draw:
    """Rows that were drawn to be labelled, in order of event time and id.

    Attributes:
        start: The rows were answered from then on, until `end`.
        asked_at: When they were drawn.
        rows: How many rows they were drawn from.
        seed: What the choice depends on, besides the ids.
        ids: Strings [n].
        event_times: In microseconds, UTC, int64 [n].
        probabilities: With which each row was drawn, float64 [n].
    """

    start: datetime
    end: datetime
    asked_at: datetime
    rows: int
    seed: int
    ids: pa.Array
    event_times: NDArray[np.int64]
    probabilities: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)


class AskedRows:
    """The draws of one deployment, in order of time.

    Args:
        root: The traffic log, or the folder of a table's label log.
        name: The deployment's name in its store.
    """

    def __init__(self, root: Path, name: str) -> None:
        self._folder = root / ASKED / quote(name, safe="")

    def draws(self) -> tuple[Draw, ...]:
        """All draws so far. Cost: every file is read.

        Raises:
            CannotRun: A file cannot be read.
        """
        return tuple(map(_read, self._files()))

    def latest(self, after: datetime) -> tuple[Draw, ...]:
        """The draws that end after a time, in order. Cost: their files, and one more. Raises CannotRun as `draws`."""
        found = list[Draw]()
        for path in reversed(self._files()):
            draw = _read(path)
            if draw.end <= after:
                break
            found.insert(0, draw)
        return tuple(found)

    @property
    def state(self) -> tuple[tuple[str, int], ...]:
        """What changes with every draw, and with an erasure."""
        return tuple((path.name, path.stat().st_mtime_ns) for path in self._files())

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.parquet"))

    def keep(self, draw: Draw) -> None:
        """Keep a draw, in a file that nobody but its owner may read."""
        about = {
            **{name: getattr(draw, name).astimezone(UTC).isoformat() for name in ("start", "end", "asked_at")},
            "rows": draw.rows,
            "seed": draw.seed,
        }
        times = pa.array(draw.event_times).cast(_SCHEMA.field("event_time").type)
        table = pa.Table.from_arrays(
            [draw.ids.cast(pa.string()), times, pa.array(draw.probabilities)],
            schema=_SCHEMA.with_metadata({_ABOUT: json.dumps(about).encode()}),
        )
        with replacing(self._folder / f"{draw.start.astimezone(UTC):%Y%m%dT%H%M%SZ}.parquet") as file:
            os.fchmod(file.fileno(), 0o600)
            pq.write_table(table, file)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Draw while nobody else does; others wait. The folder is made.

        Raises:
            CannotRun: The folder cannot be written.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise CannotRun(
                "It cannot be kept which rows are asked for.",
                got=f"{self._folder}: {error.strerror}",
                expected="a folder that this user may write",
                fix="Give the right to write.",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _read(path: Path) -> Draw:
    try:
        table = pq.read_table(path, schema=None)
        about = json.loads((table.schema.metadata or {})[_ABOUT])
        return Draw(
            **{name: datetime.fromisoformat(about[name]) for name in ("start", "end", "asked_at")},
            rows=int(about["rows"]),
            seed=int(about["seed"]),
            ids=table["prediction_id"].combine_chunks(),
            event_times=np.asarray(table["event_time"].cast(pa.int64()), dtype=np.int64),
            probabilities=np.asarray(table["probability"], dtype=np.float64),
        )
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise CannotRun(
            "It cannot be read which rows were asked for.",
            got=f"{path}: {error}",
            expected="a file that `pitfalls labels ask` wrote",
            fix="Restore it from a backup; without it, its rows are not asked for again.",
        ) from error
