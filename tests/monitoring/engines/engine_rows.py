"""A deployment's recipe and some live rows of its table, for the tests of engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import add
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.config import load_config
from monitoring.deployment.deployment import Deployment, deploy
from monitoring.engines.engine import Engine, Work, work_of
from monitoring.engines.partial import Partial
from monitoring.engines.recipe import Recipe
from monitoring.sources.traffic import columns_of
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import Window
from tests.own_table import Watched, own_rows
from tests.small_deployment import LIVE, Days

WINDOWS = tuple(Window(start=LIVE + timedelta(days=day), end=LIVE + timedelta(days=day + 1)) for day in range(6))


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A recipe, and the table that its tasks read."""

    deployment: Deployment
    recipe: Recipe
    table: Table

    def work(self, rows: int, windows: Sequence[Window] = WINDOWS) -> list[Work]:
        """The reading of some windows, cut into tasks."""
        return list(work_of(self.table, windows, rows=rows))


def ready(watched: Watched, folder: Path, rows: pa.Table | None = None, *, group: int = 50) -> Ready:
    """Live rows in a file with small row groups, six days unless others are given."""
    live = own_rows(Days(days=6, start=LIVE, seed=3)) if rows is None else rows
    pq.write_table(live, folder / "live.parquet", row_group_size=group)
    config = load_config(watched.adopted.config)
    deployment = deploy(config)
    columns = columns_of(config, deployment.baseline)
    table = Table.of(pieces_of(folder / "live.parquet"), columns)
    recipe = Recipe.of(deployment.judge.aggregator(), deployment.baseline.spec, columns)
    return Ready(deployment=deployment, recipe=recipe, table=table)


def by_window(engine: Engine, recipe: Recipe, work: Sequence[Work]) -> dict[int, Partial]:
    """Each window's partials, added up."""
    found: dict[int, list[Partial]] = {}
    for partial in engine.gather(recipe, work):
        found.setdefault(partial.start, []).append(partial)
    return {start: reduce(add, partials) for start, partials in found.items()}
