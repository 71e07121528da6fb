"""A script: one deployment judged by this process, by Spark's tasks on files, and by Spark's rows, in three stores."""

from __future__ import annotations

import shutil
import sys
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq

from monitoring.config import load_config
from monitoring.config.sections import EngineSection
from monitoring.jobs.engines.spark import session
from monitoring.jobs.run import ExternalServices, RunRequest, judge_windows
from monitoring.jobs.status import status
from monitoring.store.store import Store
from tests.monitoring.jobs.engines.engine_runs import hostile_rows, plain
from tests.own_table import NOW, watch
from tests.small_deployment import LIVE


def main(folder: Path) -> None:
    """Judge twelve days, and print how many windows are the same in all three stores.

    Raises:
        SystemExit: some are not.
    """
    home = watch(folder / "watched").adopted.config.parent
    (folder / "live").mkdir()
    rows = hostile_rows()
    before = [when < LIVE + timedelta(days=12) for when in rows["ts"].to_pylist()]
    seen: dict[str, str] = {}
    unique = [seen.setdefault(word, str(place)) == str(place) for place, word in enumerate(rows["id"].to_pylist())]
    rows = rows.filter([early and single for early, single in zip(before, unique, strict=True)])
    pq.write_table(rows, folder / "live/a.parquet", row_group_size=200)
    spark = session("local[2]")
    found = {}
    for name in ("local", "files", "frame"):
        shutil.copytree(home, folder / name)
        config = load_config(folder / name / "monitor.toml")
        update: dict[str, object] = {"traffic": config.traffic.with_path(folder / "live")}
        if name == "files":
            update["engine"] = EngineSection(kind="spark", master="local[2]")
        config = config.model_copy(update=update)
        frame = spark.read.parquet(str(folder / "live/a.parquet")) if name == "frame" else None
        with Store.open(config.store.url) as store:
            request, services = RunRequest(sensitivity=False), ExternalServices(live=frame)
            done = judge_windows(config, store, request, clock=lambda: NOW, services=services)
            found[name] = [*map(plain, status(store, config.name, done.deployment).windows)]
    spark.stop()
    for name, windows in found.items():
        for own, other in zip(found["local"], windows, strict=True):
            if own != other:
                raise SystemExit(f"{name}: {other}\nlocal: {own}")
    sys.stdout.write(f"{len(found['local'])} windows are the same\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
