"""The run store: every finished run of a grid is a file, so that an interrupted experiment resumes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.errors import BadInput
from pitfalls_tf.experiments import source_code
from pitfalls_tf.experiments.cells.cell import Cell
from pitfalls_tf.experiments.grid_size import GridSize
from pitfalls_tf.training import run_folder as folders
from serving.export.manifest import environment

CELLS = ".cells"
THREADS = 2
SECONDS = b"seconds"  # in a stored run's metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class GridProgress:
    """Progress of an experiment. `remaining`: estimated seconds left; None before the first run."""

    done: int
    total: int
    stage: str
    remaining: float | None


class RunStore:
    """Runs the cells of a grid and stores each run in a folder.

    Args:
        clock: seconds; only the estimate of the remaining time depends on it.

    Attributes:
        seconds: by the clock that the runs took when they were made, also those that were stored before; NaN if one
            of them was stored by an earlier version, which did not keep it.
    """

    def __init__(
        self, folder: Path, size: GridSize, *, clock: Callable[[], float], progress: Callable[[GridProgress], None]
    ) -> None:
        self.size = size
        self._folder = folder
        self._clock, self._progress = clock, progress
        self._environment = asdict(environment())
        self._done = self._total = self._run_now = 0
        self._seconds = self.seconds = 0.0
        self.digests: set[str] = set()
        self.code: set[str] = set()

    def run(self, cells: Sequence[Cell], seeds: Sequence[int]) -> pa.Table:
        """Read the runs of every cell and seed from their files, and make those that are missing.

        Raises:
            BadInput: no seeds, or a recipe that cannot be fitted.
            CannotRun: the folder cannot be written, or another experiment is writing to it.
        """
        if not seeds:
            raise BadInput("No seeds.", got="0 seeds", expected="at least 1", fix="Pass --seeds 5.")
        with folders.exclusive(self._folder):
            self._total += len(cells) * len(seeds)
            return pa.concat_tables([table for cell in cells for table in self._tables(cell, seeds)])

    def _tables(self, cell: Cell, seeds: Sequence[int]) -> list[pa.Table]:
        code = source_code.digest(cell.code)
        self.code.add(code)
        paths = {seed: self._path(cell, seed, code) for seed in seeds}
        missing = [seed for seed in seeds if not paths[seed].is_file()]
        self._report(len(seeds) - len(missing), cell)
        for start in range(0, len(missing), THREADS):
            batch = missing[start : start + THREADS]
            started = self._clock()
            new_tables = cell.run(batch)
            elapsed = self._clock() - started
            for seed, table in new_tables.items():
                _store(table, paths[seed], seconds=elapsed / len(batch))
            self._seconds += elapsed
            self._run_now += len(batch)
            self._report(len(batch), cell)
        self.digests |= {path.stem for path in paths.values()}
        tables = [pq.read_table(paths[seed]) for seed in seeds]
        self.seconds += sum(float((table.schema.metadata or {}).get(SECONDS, "nan")) for table in tables)
        return [_with_setup(table.replace_schema_metadata(), cell.setup) for table in tables]

    def _path(self, cell: Cell, seed: int, code: str) -> Path:
        key = {"code": code, "cell": cell.identity(), "seed": seed, "environment": self._environment}
        digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()
        return self._folder / f"{digest[:40]}.parquet"

    def _report(self, finished: int, cell: Cell) -> None:
        self._done += finished
        left = self._total - self._done
        remaining = left * self._seconds / self._run_now if self._run_now else None
        self._progress(GridProgress(done=self._done, total=self._total, stage=cell.setup, remaining=remaining))


def _with_setup(table: pa.Table, setup: str) -> pa.Table:
    position = table.column_names.index("setup")
    return table.set_column(position, "setup", pa.array([setup] * len(table), pa.string()))


def _store(table: pa.Table, path: Path, *, seconds: float) -> None:
    table = table.replace_schema_metadata({SECONDS: f"{seconds:.3f}"})
    folders.write_atomically(path, lambda unfinished: pq.write_table(table, unfinished, compression="zstd"))
