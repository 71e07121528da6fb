"""This monitor, products by their defaults, rules, and the limit on the same windows of rows, quiet and harmed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import monitor_peers as peers
from benchmarks.level_streams import Alarms
from benchmarks.monitor_peers import Flags, Windows
from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.row_streams import CLEAN, ERROR, HARMED, RowStream
from benchmarks.rules import calibrated

SEED = 20_130_402
YEAR = 365
BASELINE = 60

#: Rows in a window beyond which only window means are drawn: a peer would read for hours what it reads row by row.
MOST_ROWS = 100_000

Judge = Callable[[Windows, Windows], dict[str, Flags]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Streams of a year for monitors of window means; distinct windows for rules on rows, and for products."""

    streams: int
    windows: int
    slow_windows: int


FULL = Sizes(streams=200, windows=40, slow_windows=8)
QUICK = Sizes(streams=20, windows=6, slow_windows=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What one monitor said: alarms of streams of a year, from so many distinct windows (0: each window its own)."""

    monitor: str
    alarms: Alarms
    distinct: int


def measure(settings: Settings) -> Result:
    """One row a stream and monitor. Cost: 13 minutes of two cores, mostly of peers'; what is kept is not redone."""
    sizes = QUICK if settings.quick else FULL
    kept = settings.out / ("peers-quick" if settings.quick else "peers")
    kept.mkdir(parents=True, exist_ok=True)
    rows: list[tuple[Cell, ...]] = []
    remarks: list[str] = []
    lengths: dict[tuple[int, int], float] = {}
    for place, stream in enumerate((*CLEAN, *HARMED)):
        shape = (stream.rows, stream.inputs)
        found = summarised(stream, sizes, np.random.default_rng([SEED, place]), lengths.get(shape))
        lengths.setdefault(shape, found[0].alarms.run_length)
        for name, judge, windows in _row_judges(settings.out / "nannyml", sizes):
            if stream.rows > MOST_ROWS:
                continue
            try:
                flags = kept_verdicts(kept / f"{place}-{name}.json", partial(_judged, stream, judge, windows, place))
            except (subprocess.CalledProcessError, OSError) as error:
                remarks.append(f"Not measured: {name} on {stream.name}: {error}")
                continue
            rng = np.random.default_rng([SEED, place, 1])
            found += [
                Verdicts(monitor=monitor, alarms=looked_up(stream, at, sizes.streams, rng), distinct=at.size)
                for monitor, at in flags.items()
            ]
        rows += [_row(stream, one) for one in found]
        print(f"{stream.name}: {len(found)} monitors", file=sys.stderr)
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
            f"{sizes.streams} streams of a year. Monitors of window means (no distinct windows given) are run on means "
            "drawn from the law without rows, each stream on a baseline of its own. Monitors of rows keep no state: "
            "each distinct window is judged once, against one baseline, and a year is drawn from its verdicts; ± is "
            "that of the share of distinct windows flagged. Within 30: share of streams with an alarm in the first 30 "
            "harmed windows. Delays count from the first harmed window; a dash: most had no alarm in a year."
        ),
    )
    return Result(tables=(table,), remarks=tuple(remarks))


def summarised(
    stream: RowStream, sizes: Sizes, rng: np.random.Generator, run_length: float | None = None
) -> list[Verdicts]:
    """This monitor, bands, and the limit, on window means; the limit at this run length, too, if one is given."""
    streams = max(sizes.streams // 10, 5) if stream.inputs > 50 else sizes.streams
    known = stream.summaries(streams, BASELINE, rng, live=False)
    live = stream.summaries(streams, YEAR, rng, live=True)
    means, spread = known.errors.mean(axis=1), known.errors.std(axis=1, ddof=1)
    found = {
        "this monitor, A = 365": peers.ours(known, live),
        "error rate, mean ± 3 SD": np.abs(live.errors - means[:, None]) > 3.0 * spread[:, None],
    }
    rise = (stream.worse + 0.25 * stream.worse_slice) / np.sqrt(ERROR * (1.0 - ERROR) / stream.rows)
    if rise > 0.0:
        z = (live.errors - ERROR) / np.sqrt(ERROR * (1.0 - ERROR) / stream.rows)
        quiet = np.random.default_rng(SEED).normal(size=(200, 2000))
        found["CUSUM told both laws, run length 365"] = calibrated(rise, quiet, float(YEAR)).alarms(z).at
        if run_length is not None and np.isfinite(run_length):
            quiet = np.random.default_rng(SEED).normal(size=(400, 4000))
            found["CUSUM told both laws, our run length"] = calibrated(rise, quiet, run_length).alarms(z).at
    return [Verdicts(monitor=name, alarms=Alarms(at=at), distinct=0) for name, at in found.items()]


def _row_judges(environment: Path, sizes: Sizes) -> list[tuple[str, Judge, int]]:
    """Name of the file its verdicts are kept in, monitor, and distinct windows that it judges."""

    def named(name: str, flags: Callable[[Windows, Windows], Flags]) -> Judge:
        return lambda known, live: {name: flags(known, live)}

    return [
        ("bonferroni", named("KS and χ², Bonferroni .05", peers.bonferroni), sizes.windows),
        (
            "nannyml",
            named("NannyML defaults", partial(peers.nannyml_defaults, folder=environment)),
            sizes.windows,
        ),
        ("evidently", peers.evidently_preset, sizes.slow_windows),
        ("tfdv", named("TFDV comparators at .1", peers.tfdv_comparators), sizes.slow_windows),
    ]


def _judged(stream: RowStream, judge: Judge, windows: int, place: int) -> dict[str, Flags]:
    """The verdicts on distinct windows: the growing ones of a growing harm in order, then fully harmed ones."""
    rng = np.random.default_rng([SEED, place, 2])
    known = replace(stream, over=1).windows(BASELINE, rng, live=False)
    # A slow monitor sees a harm that grows at as many steps as it has windows.
    seen = replace(stream, over=min(stream.over, max(windows // 2, 1)))
    return judge(known, seen.windows(windows, rng, live=True))


def looked_up(stream: RowStream, flags: Flags, streams: int, rng: np.random.Generator) -> Alarms:
    """Streams of a year from the verdicts on distinct windows, each drawn from those of its own step of the harm."""
    steps = min(stream.over, max(flags.size // 2, 1))
    later = rng.integers(steps - 1, flags.size, size=(streams, YEAR))
    growing = np.minimum(np.arange(YEAR) * steps // stream.over, flags.size - 1)
    places = np.where(np.arange(YEAR) < stream.over - 1, growing, later)
    return Alarms(at=flags[places])


def kept_verdicts(path: Path, judged: Callable[[], dict[str, Flags]]) -> dict[str, Flags]:
    """Verdicts from their file, or made and written to it, so that a run that was stopped goes on where it was."""
    if path.is_file():
        return {name: np.array(flags, dtype=np.bool_) for name, flags in json.loads(path.read_text()).items()}
    found = judged()
    path.write_text(json.dumps({name: [int(flag) for flag in flags] for name, flags in found.items()}))
    return found


def error_of_share(share: float, distinct: int) -> float:
    """The standard error of a share of distinct windows, in its own unit.

    Agresti and Coull's: four windows are added, half of them flagged, so that none of eight is not taken for never.

    >>> round(error_of_share(0.0, 8), 3)
    0.108
    """
    eased = (share * distinct + 2.0) / (distinct + 4.0)
    return float(np.sqrt(eased * (1.0 - eased) / (distinct + 4.0)))


def _row(stream: RowStream, verdicts: Verdicts) -> tuple[Cell, ...]:
    at = verdicts.alarms.at
    per_stream = at.mean(axis=1)
    share = float(at.mean())
    error = float(per_stream.std(ddof=1) / np.sqrt(len(at)))
    if verdicts.distinct:
        error = error_of_share(share, verdicts.distinct)
    return (
        stream.name,
        verdicts.monitor,
        verdicts.distinct or None,
        share * YEAR,
        error * YEAR,
        verdicts.alarms.share_with_any(YEAR),
        verdicts.alarms.share_with_any(30) if stream.harmed else None,
        verdicts.alarms.median_delay if stream.harmed else None,
    )
