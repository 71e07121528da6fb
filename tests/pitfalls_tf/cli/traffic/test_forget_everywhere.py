"""A person's ids are planted in every place that the program can write, erased, and looked for byte by byte."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.config import load_config
from monitoring.store.store import Store
from monitoring.traffic.log.log import TrafficLog
from tests.monitoring.rollout.shadow.worlds import END, world_of
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


def test_nothing_that_the_program_writes_has_an_erased_id(tmp_path: Path) -> None:
    config = tmp_path / "world" / "monitor.toml"
    with Store.open(f"sqlite:///{tmp_path}/rollouts.db") as store:
        world = world_of(tmp_path / "world", store, {1: logged, 2: logged})
        record = world.begun()
        world.now = END
        worker = world.worker(record)
        worker.work()
        worker.close()
    shutil.rmtree(tmp_path / "world" / "expected")  # of another test of these files
    config.write_text(config.read_text("utf-8") + RULE, "utf-8")
    judged = run("monitor", "run", "--config", config)
    assert judged.exit_code == 1, judged.output
    ids = TrafficLog(world.log).read(model="flights")["prediction_id"].to_pylist()
    planted = places(tmp_path, ids)
    shadow = load_config(config).rollouts_folder.relative_to(tmp_path).as_posix()
    everywhere = [
        one
        for one, names in planted.items()
        if any(name.startswith(shadow) for name in names) and any(".db" in name for name in names)
    ]
    assert everywhere, "an id is in the log, in the candidate's answers, and in the store"
    hers = [*everywhere[:2], ids[0], ids[-1]]

    done = run("traffic", "forget", world.log, *hers, "--config", config, "--json")
    receipt = json.loads(done.stdout)
    assert (receipt["state"], receipt["unreached"]) == ("complete", [])
    assert any(file["file"].startswith("rollouts/") for file in receipt["files"])
    assert places(tmp_path, hers) == {}
    others = [one for one in ids if one not in hers]
    assert set(places(tmp_path, others)) == set(others), "what is others' stays"
