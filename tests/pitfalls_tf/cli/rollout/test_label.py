"""``pitfalls rollout label``: rows are asked for, a person labels them, and they count for all that they stand for."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result

from monitoring.records import RolloutResult
from monitoring.store.store import Store
from monitoring.traffic.log.log import TrafficLog
from tests.monitoring.rollout.shadow.worlds import BEGIN, World, world_of
from tests.monitoring.rollout.two_bundles import logged, truth, two_bundles

Run = Callable[..., Result]

SECTION = """
[rollout]
[rollout.decide]
guards = []
labels = "asked"
"""


class Desk:
    """A world whose log has no label, and a person who knows them all."""

    def __init__(self, world: World, late: Callable[[pa.Table], np.ndarray], run: Run, out: Path) -> None:
        self.world, self.late, self.run, self.out = world, late, run, out
        self.config = ("--config", str(world.log.parent / "monitor.toml"))
        self.record = world.begun()
        world.now = BEGIN + timedelta(days=15)
        world.worker(self.record).work()

    def ask(self, rows: int) -> dict[str, object]:
        flags = ("--rows", str(rows), "--out", str(self.out), "--within", "3d", "--json")
        done = self.run("rollout", "label", *self.config, *flags)
        assert done.exit_code == 0, done.output
        document: dict[str, object] = json.loads(done.stdout)
        self.world.now = datetime.fromisoformat(str(document["due"])) + timedelta(hours=1)
        return document

    def fill_in(self, *, leave_out: int = 0) -> None:
        table = pq.read_table(self.out)
        words = np.where(self.late(table) > 0.5, "late", "on_time")
        in_time = pa.array([self.world.now - timedelta(hours=2)] * len(table), pa.timestamp("us", "UTC"))
        filled = table.set_column(table.column_names.index("label"), "label", pa.array(words))
        filled = filled.set_column(filled.column_names.index("label_time"), "label_time", in_time)
        pq.write_table(filled.slice(leave_out), self.out)
        added = self.run("labels", "add", str(self.out), "--traffic", str(self.world.log))
        assert added.exit_code == 0, added.output

    def result(self) -> RolloutResult:
        found = self.world.worker(self.world.store.rollouts.read(self.record.number)).work().record.result
        assert found is not None
        return found

    def difference(self) -> float:
        """What all labels would say of all rows since the beginning."""
        rows = TrafficLog(self.world.log).read(model="flights", start=BEGIN, end=BEGIN + timedelta(days=14))
        late = self.late(rows) > 0.5
        candidate, champion = ((formula(rows) > 0.5) != late for formula in (self.world.formulas[2], logged))
        return float(candidate.mean() - champion.mean())


@pytest.fixture
def desk(pitfalls: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    salts = (f"salt {place}" for place in itertools.count())  # what is drawn decides whether the rollout ends
    monkeypatch.setattr("secrets.token_hex", lambda *_: next(salts))
    late = truth(two_bundles(tmp_path / "labels", ""))

    def mostly_right(rows: pa.Table) -> np.ndarray:
        sure = np.array([sum(map(ord, name)) % 4 > 0 for name in rows["prediction_id"].to_pylist()])
        return np.where(sure, late(rows), logged(rows))

    folder = tmp_path / "world"
    folder.mkdir()
    with Store.open(f"sqlite:///{folder}/pitfalls.db") as store:
        world = world_of(folder, store, {1: logged, 2: mostly_right}, SECTION)

        class Clock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Self:
                return cls.fromtimestamp(world.now.timestamp(), tz)

        monkeypatch.setattr("pitfalls_tf.cli.rollout.label.datetime", Clock)
        shutil.rmtree(folder / "traffic/labels")
        yield Desk(world, late, pitfalls, tmp_path / "rows.parquet")


def test_a_person_labels_a_sample_and_the_interval_holds_what_all_labels_would_say(desk: Desk) -> None:
    document = desk.ask(60)
    assert 0.0 < float(str(document["probability"])) < 1.0
    desk.fill_in()
    found = desk.result()
    assert found.labelled == document["rows"]
    assert found.missing == 0
    assert found.disagreements == document["disagreements"]
    truly = desk.difference()
    assert truly < -0.05
    assert found.interval.low <= truly <= found.interval.high
    assert found.interval.mean == pytest.approx(truly, abs=0.15)
    again = desk.run("rollout", "label", *desk.config, "--out", str(desk.out))
    assert again.exit_code == 2
    assert "There is no row to be labelled" in again.stderr


def test_rows_that_nobody_could_label_widen_the_interval(desk: Desk) -> None:
    desk.ask(60)
    desk.fill_in(leave_out=5)
    found = desk.result()
    assert found.missing == 5
    assert found.interval.high - found.interval.low >= found.at_random.high - found.at_random.low
    assert found.interval.low <= desk.difference() <= found.interval.high
