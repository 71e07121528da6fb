"""A person's ids are planted in every place that the program can write, erased, and looked for byte by byte."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.config import load_config
from monitoring.store.store import Store
from monitoring.traffic.log.log import TrafficLog
from tests.monitoring.rollout.shadow.worlds import BEGIN, World, world_of
from tests.monitoring.rollout.two_bundles import logged
from tests.pitfalls_tf.cli.small_log import run

RULE = '\n[[rule]]\nname = "sane"\ncolumn = "temp"\nhigh = -100.0\n'


def places(folder: Path, ids: list[str]) -> dict[str, list[str]]:
    """The files below a folder with each of some ids: in their bytes, decoded, or as request and row."""
    found: dict[str, list[str]] = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        data = path.read_bytes()
        tables = []
        if path.suffix == ".parquet":
            tables = [pq.read_table(path)]
        elif data[:4] == b"\xff\xff\xff\xff":
            tables = [pa.ipc.open_stream(data).read_all()]
        text = data + b"".join(str(table.to_pylist()).encode() for table in tables)
        pairs = {
            f"{row.get('request_id')}:{row.get('row')}"
            for table in tables
            if "request_id" in table.column_names
            for row in table.select(["request_id", "row"]).to_pylist()
        }
        name = path.relative_to(folder).as_posix()
        for one in ids:
            if one.encode() in text or one in pairs:
                found.setdefault(one, []).append(name)
    return found


def candidate(rows: pa.Table) -> np.ndarray:
    """Answers of which one in three is another class than the champion's."""
    turned = np.arange(rows.num_rows) % 3 == 0
    return np.where(turned, 1.0 - logged(rows), logged(rows))


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Everything that verbs write for one deployment: a rollout, verdicts, rows to label, a report, an account."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "world"
    with Store.open(f"sqlite:///{tmp_path}/world.db") as store:
        world = world_of(folder, store, {1: logged, 2: candidate})
        shutil.rmtree(folder / "expected")  # of another test of these files
        config = folder / "monitor.toml"
        text = config.read_text("utf-8").replace("sqlite:///pitfalls.db", f"sqlite:///{tmp_path}/world.db")
        config.write_text(f'{text}{RULE}[labels]\nbudget = "50 per week"\n', "utf-8")
        world.config = load_config(config)
        record = world.begun()
        world.now = BEGIN + timedelta(days=10)
        worker = world.worker(record)
        worker.work()
        worker.close()
        at(monkeypatch, world.now)
        days = ("--from", "2013-04-01", "--to", "2013-04-30")
        for code, verb in (
            (0, ("rollout", "label", "--out", tmp_path / "disagreements.parquet")),
            (1, ("monitor", "run")),
            (0, ("labels", "ask", "--to", "2013-04-08", "--out", tmp_path / "asked.csv")),
            (0, ("monitor", "report", "--no-drift", "--out", tmp_path / "report")),
            (0, ("monitor", "account", *days, "--out", tmp_path / "account.zip")),
            (0, ("monitor", "export", "--to", tmp_path / "windows.parquet")),
        ):
            done = run(*verb, "--config", config)
            assert done.exit_code == code, (verb, done.output)
    return world


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """Let rows of a rollout be asked for at a time."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(now.timestamp(), tz)

    monkeypatch.setattr("pitfalls_tf.cli.rollout.label.datetime", Clock)


def test_nothing_that_the_program_writes_has_an_erased_id(written: World, tmp_path: Path) -> None:
    config = ("--config", tmp_path / "world" / "monitor.toml")
    ids = TrafficLog(written.log).read(model="flights")["prediction_id"].to_pylist()
    planted = places(tmp_path, ids)
    kinds = ("disagreements", "world.db", "world/rollouts/", "world/traffic/labels/asked/", "world/traffic/labels/0")
    hers = sorted(
        {next(one for one, at in planted.items() if any(name.startswith(kind) for name in at)) for kind in kinds}
    )
    assert {kind for one in hers for name in planted[one] for kind in kinds if name.startswith(kind)} == set(kinds)
    nowhere = ("report/", "state/", "account", "windows", "asked", "world/fits/", "world/models/")
    assert not [name for at in planted.values() for name in at if name.startswith(nowhere)]

    done = run("traffic", "forget", written.log, *hers, *config, "--also", tmp_path / "disagreements.parquet", "--json")
    receipt = json.loads(done.stdout)
    assert (receipt["state"], receipt["unreached"]) == ("complete", [])
    assert places(tmp_path, hers) == {}
    others = [one for one in ids if one not in hers]
    assert set(places(tmp_path, others)) == set(others), "what is others' stays"
    for verb in (("labels", "ask", "--to", "2013-04-09", "--out", tmp_path / "asked.csv"), ("monitor", "run")):
        assert run(*verb, *config).exit_code in (0, 1)
    assert places(tmp_path, hers) == {}, "it does not come back"
