"""``python -m benchmarks [NAME…]``: run benchmarks by name, print their tables, write them as JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Protocol, cast

from rich.console import Console

from benchmarks.measurement_page import write_tables
from benchmarks.results import Environment, Result, Settings, draw, write
from monitoring.errors import PitfallsError
from pitfalls_tf.cli import ENVIRONMENT

#: Modules of this package with `measure(settings)`, whose first docstring line says what they measure.
NAMES = (
    "truth.budget",
    "truth.peers",
    "truth.flights_peers",
    "truth.nannyml_datasets",
    "truth.nannyml_equal_alarms",
    "truth.real_drift",
    "truth.verdicts",
    "truth.verdict_power",
    "truth.psi",
    "truth.joint",
    "truth.label_coverage",
    "truth.few_rows",
    "truth.facts",
    "truth.slices",
    "truth.correlated",
    "truth.input_kinds",
    "truth.languages",
    "truth.rankings",
    "truth.burn_in",
    "truth.contaminated",
    "truth.calibration",
    "truth.subgroups",
    "truth.relation",
    "truth.asked_labels",
    "truth.lender.harms",
    "truth.lender.calendars",
    "truth.lender.promises",
    "truth.lender.incidents",
    "truth.lender.causes",
    "truth.lender.sensitivity",
    "truth.worlds.measure",
    "truth.worlds.trade",
    "words.measure",
    "years.measure",
    "rollout",
    "rollouts.calibration",
    "rollouts.days",
    "rollouts.promises",
    "rollouts.shadow_latency",
    "rollouts.replay_speed",
    "monitor_speed",
    "engines",
    "fleet",
    "fleet_cycle",
    "window_speed",
    "window_growth",
    "instructions",
    "dashboard_speed",
    "dashboard_peers",
    "idle_run",
    "service_speed",
    "service_faults",
    "silences",
    "monitor_soak",
    "serving_speed",
    "model_isolation",
    "serving_peers",
    "response_profile",
    "grpc_profile",
    "hostile_costs",
    "command_line",
    "training_speed",
    "soak",
)

#: Run only by name: five download the peers, one needs tables from elsewhere, one runs as long as requested, two need
#: gigabytes of disk, and the others take many minutes.
BY_NAME = (
    "truth.facts",
    "idle_run",
    "service_speed",
    "service_faults",
    "silences",
    "dashboard_peers",
    "monitor_soak",
    "serving_peers",
    "soak",
    "hostile_costs",
    "truth.peers",
    "truth.flights_peers",
    "truth.nannyml_datasets",
    "truth.nannyml_equal_alarms",
    "truth.real_drift",
    "engines",
    "fleet",
    "fleet_cycle",
    "window_growth",
    "instructions",
    "truth.input_kinds",
    "truth.languages",
    "truth.rankings",
    "truth.burn_in",
    "truth.contaminated",
    "truth.calibration",
    "rollout",
    "rollouts.calibration",
    "rollouts.days",
    "rollouts.promises",
    "rollouts.shadow_latency",
    "rollouts.replay_speed",
    "truth.subgroups",
    "truth.lender.harms",
    "truth.lender.calendars",
    "truth.lender.promises",
    "truth.lender.incidents",
    "truth.lender.causes",
    "truth.lender.sensitivity",
    "truth.worlds.trade",
    "words.measure",
    "years.measure",
)

OUT = Path("build/bench")


class Benchmark(Protocol):
    """Interface of a benchmark module."""

    def measure(self, settings: Settings) -> Result:
        """Run the benchmark; progress goes to stderr."""


def find(name: str) -> Benchmark:
    """Import a benchmark module by name."""
    return cast("Benchmark", importlib.import_module(f"benchmarks.{name}"))


def first_line(name: str) -> str:
    """First docstring line of a benchmark."""
    return (find(name).__doc__ or "").strip().split("\n", maxsplit=1)[0]


def main(arguments: list[str] | None = None) -> int:
    """Run the requested benchmarks; returns 0 if all of them ran."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Error rates and speed; times are ratios within one run."
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join(NAMES)}; if none is given, all but {', '.join(BY_NAME)}",
    )
    parser.add_argument("--list", action="store_true", help="list the benchmarks, and stop")
    parser.add_argument("--quick", action="store_true", help="small sizes: a smoke test")
    parser.add_argument("--demo", type=Path, metavar="DIR", help="folder of a finished demo, instead of running one")
    parser.add_argument("--minutes", type=float, default=10.0, help="minutes of the soak test (default 10)")
    parser.add_argument("--workers", type=int, default=2, help="server processes of the soak test (default 2)")
    parser.add_argument("--configs", type=int, default=80, help="configs of service_faults (default 80)")
    parser.add_argument("--pairs", type=int, default=400, help="equal versions of rollout in each task (default 400)")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help=f"for the JSON files (default {OUT})")
    parser.add_argument(
        "--pages", type=Path, metavar="DIR", help="also put the tables on their pages, docs/measurements"
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"unknown benchmark {', '.join(unknown)}; known: {', '.join(NAMES)}")
    console = Console(width=None if sys.stdout.isatty() else 132)
    if options.list:
        for name in NAMES:
            print(f"{name:25} {first_line(name)}")
        return 0
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    sizes = {name: getattr(options, name) for name in ("minutes", "workers", "configs", "pairs")}
    settings = Settings(out=options.out, quick=options.quick, demo=options.demo, **sizes)
    for name in options.names or [name for name in NAMES if name not in BY_NAME]:
        console.rule(f"{name}: {first_line(name)}", align="left", characters="─")
        started = time.perf_counter()
        try:
            result = find(name).measure(settings)
        except PitfallsError as error:
            print(f"Error: {error}", file=sys.stderr)
            return error.exit_code
        seconds = time.perf_counter() - started
        draw(result, console)
        written = write(name, result, settings, seconds)
        if options.pages is not None:
            write_tables(options.pages, json.loads(written.read_text("utf-8")))
        console.print(f"{seconds:.1f} s; {Environment()}; {written}\n", markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
