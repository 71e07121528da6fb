"""This monitor, products with their defaults, simple rules and CUSUM on the same windows, with and without harm."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth import monitor_peers as peers
from benchmarks.truth.level_streams import Alarms
from benchmarks.truth.monitor_peers import Flags, Windows
from benchmarks.truth.row_streams import CLEAN, ERROR, HARMED, RowStream
from benchmarks.truth.rules import calibrated

SEED = 20_130_402
YEAR = 365
BASELINE = 60

#: Larger windows are drawn as window means only: a peer that reads rows would take hours.
MOST_ROWS = 100_000

RowMonitor = Callable[[Windows, Windows], dict[str, Flags]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Streams of a year for monitors of window means, and distinct windows for rules on rows and for products."""

    streams: int
    windows: int
    slow_windows: int


FULL = Sizes(streams=200, windows=40, slow_windows=8)
QUICK = Sizes(streams=20, windows=6, slow_windows=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorAlarms:
    """Alarms of one monitor on streams of a year, and the number of distinct windows (0: every window)."""

    monitor: str
    alarms: Alarms
    distinct: int


def measure(settings: Settings) -> Result:
    """Measure every monitor on every stream. Cost: 13 minutes on two cores; stored results of peers are reused."""
    sizes = QUICK if settings.quick else FULL
    cache = settings.out / ("peers-quick" if settings.quick else "peers")
    cache.mkdir(parents=True, exist_ok=True)
    rows: list[tuple[Cell, ...]] = []
    remarks: list[str] = []
    lengths: dict[tuple[int, int], float] = {}
    for index, stream in enumerate((*CLEAN, *HARMED)):
        shape = (stream.rows, stream.inputs)
        monitors = alarms_on_means(stream, sizes, np.random.default_rng([SEED, index]), lengths.get(shape))
        lengths.setdefault(shape, monitors[0].alarms.run_length)
        for name, monitor_rows, windows in _row_monitors(settings.out / "nannyml", sizes):
            if stream.rows > MOST_ROWS:
                continue
            try:
                flags = cached_flags(
                    cache / f"{index}-{name}.json", partial(_flags, stream, monitor_rows, windows, index)
                )
            except (subprocess.CalledProcessError, OSError) as error:
                remarks.append(f"Not measured: {name} on {stream.name}: {error}")
                continue
            rng = np.random.default_rng([SEED, index, 1])
            monitors += [
                MonitorAlarms(
                    monitor=monitor, alarms=resampled_alarms(stream, at, sizes.streams, rng), distinct=at.size
                )
                for monitor, at in flags.items()
            ]
        rows += [_row(stream, monitor) for monitor in monitors]
        print(f"{stream.name}: {len(monitors)} monitors", file=sys.stderr)
    table = Table(
        title=f"The same windows, a baseline of {BASELINE} windows each",
        columns=(
            "stream",
            "monitor",
            "distinct windows",
            "alarms per 365",
            "± SE",
            "any in 365",
            "within 30",
            "median delay",
        ),
        rows=tuple(rows),
        note=(
            f"{sizes.streams} streams of a year. Monitors of window means (no distinct windows given) are run on means"
            " drawn from their distribution, each stream with its own baseline. Monitors of rows keep no state: each"
            " distinct window is evaluated once against one baseline, and years are resampled from the results; ± is"
            " that of the share of flagged distinct windows. Within 30: share of streams with an alarm in the first"
            " 30 harmed windows. Delays count from the first harmed window; a dash: most streams had no alarm within"
            " a year."
        ),
    )
    return Result(tables=(table,), remarks=tuple(remarks))


def alarms_on_means(
    stream: RowStream, sizes: Sizes, rng: np.random.Generator, run_length: float | None = None
) -> list[MonitorAlarms]:
    """This monitor, bands and CUSUM on window means; CUSUM also at the given run length, if there is one."""
    streams = max(sizes.streams // 10, 5) if stream.inputs > 50 else sizes.streams
    baseline = stream.summaries(streams, BASELINE, rng, live=False)
    live = stream.summaries(streams, YEAR, rng, live=True)
    means, spread = baseline.errors.mean(axis=1), baseline.errors.std(axis=1, ddof=1)
    by_monitor = {
        "this monitor, A = 365": peers.ours(baseline, live),
        "error rate, mean ± 3 SD": np.abs(live.errors - means[:, None]) > 3.0 * spread[:, None],
    }
    rise = (stream.worse + 0.25 * stream.worse_slice) / np.sqrt(ERROR * (1.0 - ERROR) / stream.rows)
    if rise > 0.0:
        z = (live.errors - ERROR) / np.sqrt(ERROR * (1.0 - ERROR) / stream.rows)
        quiet = np.random.default_rng(SEED).normal(size=(200, 2000))
        by_monitor["CUSUM that knows both distributions, run length 365"] = (
            calibrated(rise, quiet, float(YEAR)).alarms(z).at
        )
        if run_length is not None and np.isfinite(run_length):
            quiet = np.random.default_rng(SEED).normal(size=(400, 4000))
            by_monitor["CUSUM that knows both distributions, the same run length"] = (
                calibrated(rise, quiet, run_length).alarms(z).at
            )
    return [MonitorAlarms(monitor=name, alarms=Alarms(at=at), distinct=0) for name, at in by_monitor.items()]


def _row_monitors(environment: Path, sizes: Sizes) -> list[tuple[str, RowMonitor, int]]:
    """Name of the result file, monitor, and number of distinct windows."""

    def named(name: str, flags: Callable[[Windows, Windows], Flags]) -> RowMonitor:
        return lambda baseline, live: {name: flags(baseline, live)}

    return [
        ("bonferroni", named("KS and χ², Bonferroni .05", peers.bonferroni), sizes.windows),
        ("nannyml", named("NannyML defaults", partial(peers.nannyml_defaults, folder=environment)), sizes.windows),
        ("evidently", peers.evidently_preset, sizes.slow_windows),
        ("tfdv", named("TFDV comparators at .1", peers.tfdv_comparators), sizes.slow_windows),
    ]


def _flags(stream: RowStream, monitor_rows: RowMonitor, windows: int, index: int) -> dict[str, Flags]:
    """Results on distinct windows: those of a growing harm in order, then fully harmed ones."""
    rng = np.random.default_rng([SEED, index, 2])
    baseline = replace(stream, over=1).windows(BASELINE, rng, live=False)
    # A slow monitor gets as many steps of a growing harm as it has windows.
    shortened = replace(stream, over=min(stream.over, max(windows // 2, 1)))
    return monitor_rows(baseline, shortened.windows(windows, rng, live=True))


def resampled_alarms(stream: RowStream, flags: Flags, streams: int, rng: np.random.Generator) -> Alarms:
    """Streams of a year, resampled from the results on distinct windows at the same step of the harm."""
    steps = min(stream.over, max(flags.size // 2, 1))
    later = rng.integers(steps - 1, flags.size, size=(streams, YEAR))
    growing = np.minimum(np.arange(YEAR) * steps // stream.over, flags.size - 1)
    positions = np.where(np.arange(YEAR) < stream.over - 1, growing, later)
    return Alarms(at=flags[positions])


def cached_flags(path: Path, compute: Callable[[], dict[str, Flags]]) -> dict[str, Flags]:
    """Read results from their file, or compute and write them, so that an interrupted run resumes."""
    if path.is_file():
        return {name: np.array(flags, dtype=np.bool_) for name, flags in json.loads(path.read_text()).items()}
    by_name = compute()
    path.write_text(json.dumps({name: [int(flag) for flag in flags] for name, flags in by_name.items()}))
    return by_name


def standard_error(share: float, distinct: int) -> float:
    """Standard error of a proportion of distinct windows by Agresti and Coull, which is not 0 for 0 of 8.

    Returns:
        The error in the unit of the proportion.

    >>> round(standard_error(0.0, 8), 3)
    0.108
    """
    eased = (share * distinct + 2.0) / (distinct + 4.0)
    return float(np.sqrt(eased * (1.0 - eased) / (distinct + 4.0)))


def _row(stream: RowStream, result: MonitorAlarms) -> tuple[Cell, ...]:
    at = result.alarms.at
    per_stream = at.mean(axis=1)
    share = float(at.mean())
    error = float(per_stream.std(ddof=1) / np.sqrt(len(at)))
    if result.distinct:
        error = standard_error(share, result.distinct)
    return (
        stream.name,
        result.monitor,
        result.distinct or None,
        share * YEAR,
        error * YEAR,
        result.alarms.share_with_any(YEAR),
        result.alarms.share_with_any(30) if stream.harmed else None,
        result.alarms.median_delay if stream.harmed else None,
    )
