"""What `benchmarks.instructions` counts: commands of `pitfalls`, and steps in a process that is warm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
from click.testing import CliRunner

from benchmarks.instruction_steps import IDLE_CYCLES, MONITORS
from benchmarks.service_speed import rows_of
from monitoring.store.store import Store
from pitfalls_tf.cli import pitfalls
from pitfalls_tf.cli.monitor.run_configs import run_config
from tests.monitoring.rollout.records import promised, result_of, rollout
from tests.monitoring.rollout.two_bundles import two_bundles
from tests.small_deployment import CONFIG, LIVE, Days, table_of, write_bundle, write_labels, write_requests

#: Windows that were judged before. Autocorrelation was estimated of these, and is again after 40.
JUDGED = 20

#: Days of a reference, its rows of a day, and live ones.
DAYS, REFERENCE_ROWS, LIVE_ROWS = 30, 333, 300
COLUMNS = ("--event-time", "ts", "--score", "p", "--label", "y", "--prediction-id", "id", "--slices", "origin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is counted: a process from its start to its end, or a step between two marks.

    Attributes:
        prepare: makes what it needs in an empty folder: the same rows each time.
        command: arguments of Python, in that folder.
    """

    what: str
    prepare: Callable[[Path], None]
    command: tuple[str, ...]


def write_reference(folder: Path) -> None:
    """Write a table of 9,990 rows."""
    pq.write_table(rows_of(0, DAYS, REFERENCE_ROWS, seed=1), folder / "reference.parquet")


def write_live(folder: Path, days: range) -> None:
    """Write files of live rows, one a day."""
    (folder / "live").mkdir(exist_ok=True)
    for day in days:
        pq.write_table(rows_of(DAYS + day, 1, LIVE_ROWS, seed=3 + day), folder / "live" / f"{day:02d}.parquet")


def make_tables(folder: Path, more: tuple[int, int]) -> None:
    """Make two tables that were judged for 20 days, each with so many days more."""
    for name, due in zip(MONITORS, more, strict=True):
        place = folder / name
        place.mkdir()
        write_reference(place)
        reference = ("--reference", str(place / "reference.parquet"), "--traffic", str(place / "live/*.parquet"))
        words = ("monitor", "init", *reference, *COLUMNS, "--out", str(place))
        done = CliRunner().invoke(pitfalls, words)
        assert done.exit_code == 0, done.output
        write_live(place, range(JUDGED))
        judge(place)
        write_live(place, range(JUDGED, JUDGED + due))


def make_idle(folder: Path) -> None:
    """Make two tables of which nothing is due, as a run of the first one has found."""
    make_tables(folder, more=(0, 0))
    done = CliRunner().invoke(pitfalls, ["monitor", "run", "--config", str(folder / MONITORS[0] / "monitor.toml")])
    assert done.exit_code in (0, 1), done.output


def make_logs(folder: Path, more: tuple[int, int]) -> None:
    """Make two traffic logs that were judged for 20 days, each with so many days more."""
    for name, due in zip(MONITORS, more, strict=True):
        place = folder / name
        write_bundle(place)
        (place / "monitor.toml").write_text(CONFIG)
        write_log(place, Days(days=JUDGED))
        judge(place)
        write_log(place, Days(days=due, start=LIVE + timedelta(days=JUDGED), seed=8))


def write_log(folder: Path, days: Days) -> None:
    """Write days of a traffic log with their labels."""
    table = table_of(days)
    write_requests(folder, table, days)
    write_labels(folder, table)


def judge(folder: Path) -> None:
    """Judge the first windows of a deployment."""
    run = run_config(folder / "monitor.toml")
    assert run.windows == JUDGED, run


def make_rollout(folder: Path) -> None:
    """Make a store with a rollout that has a plan and a look at its evidence."""
    config = two_bundles(folder)
    with Store.open(config.store.url) as store:
        record = rollout(name=config.name)
        record = replace(record, number=store.rollouts.begin(record))
        store.rollouts.save(replace(record, result=result_of("better"), plan=promised((-0.02, "better", 8.0))))


def step(name: str) -> tuple[str, ...]:
    """The command of a step of `benchmarks.instruction_steps`."""
    return "-m", "benchmarks.instruction_steps", name, "."


#: What is counted, by name; a service's ten looks are of one deployment.
SCENARIOS: dict[str, Scenario] = {
    "help": Scenario(what="`pitfalls --help`", prepare=lambda _: None, command=("-m", "pitfalls_tf", "--help")),
    "nothing_due": Scenario(
        what="`pitfalls monitor run`, nothing due",
        prepare=make_idle,
        command=("-m", "pitfalls_tf", "monitor", "run", "--config", f"{MONITORS[0]}/monitor.toml"),
    ),
    "init": Scenario(
        what="`pitfalls monitor init` of 9,990 rows",
        prepare=write_reference,
        command=("-m", "pitfalls_tf", "monitor", "init", "--reference", "reference.parquet", *COLUMNS),
    ),
    "due_window": Scenario(
        what="a due window of a table of 300 rows a day, process warm",
        prepare=partial(make_tables, more=(1, 1)),
        command=step("due"),
    ),
    "table_windows": Scenario(
        what="ten windows of that table", prepare=partial(make_tables, more=(1, 10)), command=step("due")
    ),
    "log_windows": Scenario(
        what="ten windows of a traffic log of 60 rows a day",
        prepare=partial(make_logs, more=(1, 10)),
        command=step("due"),
    ),
    "idle_cycles": Scenario(
        what=f"{IDLE_CYCLES} looks of a service at a deployment, nothing due", prepare=make_idle, command=step("idle")
    ),
    "rollout_status": Scenario(
        what="`pitfalls rollout status`", prepare=make_rollout, command=("-m", "pitfalls_tf", "rollout", "status")
    ),
}
