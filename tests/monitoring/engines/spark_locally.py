"""A script: one deployment judged by this process, by Spark's tasks on a lake's files, and by Spark's rows."""

from __future__ import annotations

import importlib
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from monitoring.config import load_config
from monitoring.config.engine_section import EngineSection
from monitoring.engines import spark_ids
from monitoring.engines.spark import session
from monitoring.errors import CannotRun
from tests.monitoring.engines.engine_runs import delta, hostile_rows, windows_judged
from tests.own_table import watch
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
    delta(rows, folder / "lake")
    spark_ids.SHUFFLED_ROWS = 0  # the smallest of tables has its ids looked at by executors
    spark = session("local[2]")
    traffic = load_config(home / "monitor.toml").traffic
    by_spark: dict[str, object] = {
        "traffic": traffic.with_path(folder / "lake"),
        "engine": EngineSection(kind="spark", master="local[2]"),
    }
    by_path: dict[str, object] = {"traffic": traffic.with_path(folder / "live")}
    frame = spark.read.parquet(str(folder / "live/a.parquet"))
    found = {
        "local": windows_judged(home, folder / "local", by_path),
        "files": windows_judged(home, folder / "files", by_spark),
        "frame": windows_judged(home, folder / "frame", by_path, frame),
    }
    check_changed_cells(frame, folder, home, by_path)
    spark.stop()
    for name, windows in found.items():
        for own, other in zip(found["local"], windows, strict=True):
            if own != other:
                raise SystemExit(f"{name}: {other}\nlocal: {own}")
    sys.stdout.write(f"{len(found['local'])} windows are the same\n")


def check_changed_cells(frame: Any, folder: Path, home: Path, update: dict[str, object]) -> None:
    """A frame whose cells are others in every pass ends the run, though its rows are as many.

    Raises:
        SystemExit: it does not.
    """
    functions = importlib.import_module("pyspark.sql.functions")
    changing = frame.withColumn("temp", functions.unix_micros(functions.current_timestamp()).cast("double"))
    try:
        windows_judged(home, folder / "changing", update, changing)
    except CannotRun as error:
        if "other cells in the window" in str(error):
            return
        raise
    raise SystemExit("changed cells were not noticed")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
