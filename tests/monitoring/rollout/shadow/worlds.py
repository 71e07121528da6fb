"""A shadow on logged traffic with a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from monitoring.config import MonitorConfig
from monitoring.records import RolloutRecord
from monitoring.rollout.actions import Author, begin
from monitoring.rollout.decision_rules import rules_of
from monitoring.rollout.log.versions import find_versions
from monitoring.rollout.scoring import Scorer
from monitoring.rollout.shadow.worker import ShadowWorker
from monitoring.store.store import Store
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.writer import TrafficWriter
from tests.monitoring.rollout.two_bundles import FormulaScorer, two_bundles

#: When the rollout begins, and a time at which every label is due.
BEGIN, END = datetime(2013, 4, 3, tzinfo=UTC), datetime(2013, 4, 25, tzinfo=UTC)

SECTION = """
[rollout]
[rollout.decide]
guards = ["slices <= 0.5"]
horizon = "7d"
"""

Formula = Callable[[pa.Table], np.ndarray]


@dataclass(slots=True)
class World:
    """A store, a traffic log of 14 days of version 1 from the beginning on, and formulas that answer for versions.

    Attributes:
        config: The config.
        store: The store.
        formulas: How each version answers.
        now: The time.
        seconds: What a timer says.
        scorers: Those that were made.
        salts: The number in the next rollout's salt.
    """

    config: MonitorConfig
    store: Store
    formulas: Mapping[int, Formula]
    now: datetime = BEGIN
    seconds: float = 0.0
    scorers: list[FormulaScorer] = field(default_factory=list)
    salts: Iterator[int] = field(default_factory=count)

    @property
    def log(self) -> Path:
        """The folder of the traffic log."""
        path = self.config.traffic.path
        assert isinstance(path, Path)
        return path

    @property
    def author(self) -> Author:
        return Author(by="ada", release="1", clock=lambda: self.now, draw_salt=lambda: f"salt{next(self.salts)}")

    def make_scorer(self, bundle: Path) -> Scorer:
        self.scorers.append(FormulaScorer(self.formulas[int(bundle.name)]))
        return self.scorers[-1]

    def begun(self, **changes: object) -> RolloutRecord:
        config = self.config.model_copy(update={"rollout": self.config.rollout.model_copy(update=changes)})
        return begin(config, self.store, find_versions(config), rules_of(config), self.author)

    def worker(self, record: RolloutRecord) -> ShadowWorker:
        return ShadowWorker(
            config=self.config,
            store=self.store,
            record=record,
            make_scorer=self.make_scorer,
            clock=lambda: self.now,
            timer=lambda: self.seconds,
        )

    def documents(self, record: RolloutRecord) -> list[tuple[datetime, datetime, Mapping[str, Any]]]:
        """The evidence of a rollout's windows."""
        return list(self.store.rollouts.windows(record.number))


def world_of(folder: Path, store: Store, formulas: Mapping[int, Formula], section: str = SECTION) -> World:
    """A world in a folder."""
    return World(config=two_bundles(folder, section), store=store, formulas=formulas)


def add_rows(
    world: World, *, version: int, at: datetime, rows: int = 5, late: float = 0.5, label: str | None = None
) -> None:
    """Log some answers of a version at a time, with a label soon after it if one is given."""
    writer = TrafficWriter(world.log, clock=lambda: world.now)
    names = [f"{at:%Y%m%d}-{version}-{place}" for place in range(rows)]
    writer.append(
        AnsweredRows(
            model="flights",
            version=version,
            signature="serving_default",
            request_ids=names,
            rows=np.zeros(rows, np.int64),
            event_times_us=np.full(rows, as_microseconds(at)),
            answered_at_us=as_microseconds(at),
            latencies_us=np.ones(rows, np.int64),
            inputs={},
            outputs={"probabilities": np.tile(np.array([1.0 - late, late], np.float32), (rows, 1))},
        )
    )
    writer.close()
    if label is not None:
        ids = [f"{name}:0" for name in names]
        LabelWriter(world.log, clock=lambda: world.now).append(ids, [label] * rows, [as_microseconds(at) + 1] * rows)
