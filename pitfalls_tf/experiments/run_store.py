"""Where grids of runs are made: each finished run is a file, so that an interrupted experiment goes on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.errors import BadInput
from pitfalls_tf.experiments import source_code
from pitfalls_tf.training import runs as folders
from serving.export.manifest import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pitfalls_tf.experiments.experiment import Scale

CELLS = ".cells"
THREADS = 2


class Cell(Protocol):
    """A setup on a task: what is run once per seed."""

    @property
    def setup(self) -> str:
        """What it is called in the table. Not part of its identity: experiments share runs."""

    @property
    def code(self) -> tuple[str, ...]:
        """Full names of the modules that run it; what they import is found."""

    def identity(self) -> Mapping[str, Any]:
        """Everything but the seed, the code and the environment that decides its rows, as JSON values."""

    def run(self, seeds: Sequence[int]) -> Mapping[int, pa.Table]:
        """The rows of each seed, with a column `setup` of any value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Runs done of all that are known of so far, kept ones included; `remaining` seconds, None before the first."""

    done: int
    total: int
    stage: str
    remaining: float | None


class Lab:
    """Runs cells into a folder. `clock` gives seconds; only the remaining time depends on it."""

    def __init__(
        self, folder: Path, scale: Scale, *, clock: Callable[[], float], progress: Callable[[Progress], None]
    ) -> None:
        self.scale = scale
        self._folder = folder
        self._clock, self._progress = clock, progress
        self._environment = asdict(environment())
        self._done = self._total = self._made = 0
        self._spent = 0.0
        self.digests: set[str] = set()  # of the files used, for the manifest
        self.code: set[str] = set()  # that made them, a digest for each kind of cell

    def run(self, cells: Sequence[Cell], seeds: Sequence[int]) -> pa.Table:
        """The rows of every cell and seed, in that order, from its file or run now.

        Raises:
            BadInput: no seeds; or what fitting refuses.
            CannotRun: the folder cannot be written, or another experiment is at work in it.
        """
        if not seeds:
            raise BadInput("No seeds, no runs.", got="0 seeds", expected="at least 1", fix="Pass --seeds 5.")
        with folders.exclusive(self._folder):
            self._total += len(cells) * len(seeds)
            return pa.concat_tables([table for cell in cells for table in self._tables(cell, seeds)])

    def _tables(self, cell: Cell, seeds: Sequence[int]) -> list[pa.Table]:
        code = source_code.digest(cell.code)
        self.code.add(code)
        paths = {seed: self._path(cell, seed, code) for seed in seeds}
        missing = [seed for seed in seeds if not paths[seed].is_file()]
        self._tell(len(seeds) - len(missing), cell)
        for start in range(0, len(missing), THREADS):
            some = missing[start : start + THREADS]
            began = self._clock()
            for seed, table in cell.run(some).items():
                _keep(table, paths[seed])
            self._spent += self._clock() - began
            self._made += len(some)
            self._tell(len(some), cell)
        self.digests |= {path.stem for path in paths.values()}
        return [_named(pq.read_table(paths[seed]), cell.setup) for seed in seeds]

    def _path(self, cell: Cell, seed: int, code: str) -> Path:
        known = {"code": code, "cell": cell.identity(), "seed": seed, "environment": self._environment}
        digest = hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()
        return self._folder / f"{digest[:40]}.parquet"

    def _tell(self, count: int, cell: Cell) -> None:
        self._done += count
        left = self._total - self._done
        remaining = left * self._spent / self._made if self._made else None
        self._progress(Progress(done=self._done, total=self._total, stage=cell.setup, remaining=remaining))


def _named(table: pa.Table, setup: str) -> pa.Table:
    place = table.column_names.index("setup")
    return table.set_column(place, "setup", pa.array([setup] * len(table), pa.string()))


def _keep(table: pa.Table, path: Path) -> None:
    folders.write_aside(path, lambda unfinished: pq.write_table(table, unfinished, compression="zstd"))
