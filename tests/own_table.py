"""A table of predictions as its owner has it, made of the same rows as the small deployment, and watched."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.config import load_config
from monitoring.inspection.status import status
from monitoring.onboarding.init import InitResult, init_monitor
from monitoring.onboarding.table_description import described
from monitoring.records import MonitorStatus
from monitoring.runs.run import RunResult, run_due_windows
from monitoring.store.store import Store
from monitoring.traffic.tables.piece_reader import PieceReader
from monitoring.traffic.tables.pieces import ParquetPiece, TablePiece
from monitoring.traffic.tables.raw_rows import RawRows
from tests.small_deployment import FIRST, Days, table_of

NOW = datetime(2013, 5, 15, tzinfo=UTC)
REFERENCE = Days(days=90, start=FIRST, seed=1)
#: What its owner says, as `described` takes it.
OWN: dict[str, Any] = {
    "event_time": "ts",
    "scores": ("on_time", "late"),
    "label": "y",
    "label_time": "known_at",
    "prediction_id": "id",
    "classes": ("on_time", "late"),
    "slices": ("origin",),
}


def own_rows(days: Days) -> pa.Table:
    """Columns id, ts, temp, origin, on_time, late, y, known_at: the small deployment's rows, floats as it has them."""
    rows = table_of(days)
    floats = np.float64 if days == REFERENCE else np.float32
    scores = np.asarray(rows["probabilities"].combine_chunks().flatten()).astype(floats)
    return pa.table(
        {
            "id": rows["prediction_id"],
            "ts": rows["event_time"],
            "temp": pa.array(np.asarray(rows["temp"]).astype(floats)),
            "origin": rows["origin"],
            "on_time": pa.array(scores[::2]),
            "late": pa.array(scores[1::2]),
            "y": rows["label"],
            "known_at": rows["label_time"],
        }
    )


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A folder with an adopted table, and what can be done with it."""

    folder: Path
    adopted: InitResult

    def live(self, name: str, table: pa.Table) -> None:
        """Write a file of live rows."""
        (self.folder / "live").mkdir(exist_ok=True)
        pq.write_table(table, self.folder / "live" / name)

    def run(
        self, *, now: datetime = NOW, traffic: str = "live", stop: Callable[[], bool] = lambda: False
    ) -> tuple[RunResult, MonitorStatus]:
        """Judge what is due."""
        config = load_config(self.adopted.config)
        path = (self.folder / traffic).absolute()
        config = config.model_copy(update={"traffic": config.traffic.model_copy(update={"path": path})})
        with Store.open(config.store.url) as store:
            done = run_due_windows(config, store, clock=lambda: now, stop=stop)
            return done, status(store, config.model.name, done.deployment)


def watch(folder: Path, reference: pa.Table | None = None, *, min_rows: int = 20, **said: Any) -> Watched:
    """Adopt a reference table in `folder`; `said` replaces what its owner says."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(own_rows(REFERENCE) if reference is None else reference, folder / "REF.parquet")
    own = described(**{**OWN, "min_rows": min_rows, **said})
    adopted = init_monitor(folder / "REF.parquet", own, out=folder / "flights", clock=lambda: NOW)
    return Watched(folder=folder, adopted=adopted)


def no_parquet(_reader: PieceReader, piece: TablePiece, names: Collection[str] | None = None) -> RawRows:
    """Stands for `PieceReader.whole` where Parquet files have to be read in batches."""
    assert not isinstance(piece, ParquetPiece), f"{piece.name} is read whole"
    return piece.read(names)
