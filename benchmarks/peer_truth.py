"""This monitor, products by their defaults, rules, and the limit on the same windows of rows, quiet and harmed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import monitor_peers as peers
from benchmarks.monitor_peers import Flags, Windows
from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.row_streams import CLEAN, ERROR, HARMED, RowStream
from benchmarks.rules import Cusum, calibrated

SEED = 20_130_402
YEAR = 365
BASELINE = 30

Monitor = Callable[[Windows, Windows], dict[str, Flags]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Streams of each law, and windows in each: for fast monitors, and for those that take seconds a window."""

    streams: int
    windows: int
    slow_windows: int


FULL = Sizes(streams=5, windows=60, slow_windows=20)
QUICK = Sizes(streams=3, windows=60, slow_windows=4)


def measure(settings: Settings) -> Result:
    """One row a stream and monitor. Cost: minutes, nearly all of it the peers'."""
    sizes = QUICK if settings.quick else FULL
    environment = settings.out / "nannyml"
    rows: list[tuple[Cell, ...]] = []
    remarks: list[str] = []
    for place, stream in enumerate((*CLEAN, *HARMED)):
        for name, monitor, streams, windows in _monitors(sizes, environment, stream):
            try:
                rows += _rows(stream, monitor, (streams, windows), place)
            except (subprocess.CalledProcessError, OSError) as error:
                remarks.append(f"Not measured: {name} on {stream.name}: {error}")
    table = Table(
        title=f"The same windows of rows, a baseline of {BASELINE} windows each",
        columns=(
            "stream",
            "monitor",
            "streams",
            "windows each",
            "alarms per 365",
            "± SE",
            "runs with any",
            "median delay",
        ),
        rows=tuple(rows),
        note="Windows: of each stream. Delays are from the first harmed window on; a dash: most runs had no alarm.",
    )
    return Result(tables=(table,), remarks=tuple(remarks))


def _monitors(sizes: Sizes, environment: Path, stream: RowStream) -> list[tuple[str, Monitor, int, int]]:
    """Name, monitor, streams and windows: what takes seconds a window is given one stream, and fewer windows."""

    def named(name: str, flags: Callable[[Windows, Windows], Flags]) -> Monitor:
        return lambda known, live: {name: flags(known, live)}

    many, few = (sizes.streams, sizes.windows), (1, sizes.slow_windows)
    found: list[tuple[str, Monitor, int, int]] = [
        ("this monitor", named("this monitor, A = 365", peers.ours), *many),
        ("bands", named("error rate, mean ± 3 SD", peers.three_deviations), *many),
        ("CUSUM", named("CUSUM told both laws, run length 365", partial(_limit, stream)), *many),
        ("Bonferroni", named("KS and χ², Bonferroni .05", peers.bonferroni), *few),
        ("NannyML", named("NannyML defaults", partial(peers.nannyml_defaults, folder=environment)), 1, sizes.windows),
        ("Evidently", peers.evidently_preset, *few),
        ("TFDV", named("TFDV comparators at .1", peers.tfdv_comparators), *few),
    ]
    return found if stream.worse else [one for one in found if one[0] != "CUSUM"]


def _limit(stream: RowStream, _known: Windows, live: Windows) -> Flags:
    """The CUSUM of the error rate that knows its law before and after, as normals."""
    deviation = np.sqrt(ERROR * (1.0 - ERROR) / stream.rows)
    rise = stream.worse / deviation
    cusum: Cusum = calibrated(rise, np.random.default_rng(SEED).normal(size=(200, 2000)), float(YEAR))
    found: Flags = cusum.alarms((peers.error_rates(live)[None, :] - ERROR) / deviation).at[0]
    return found


def _rows(stream: RowStream, monitor: Monitor, size: tuple[int, int], place: int) -> list[tuple[Cell, ...]]:
    """One row for each verdict that the monitor gives."""
    streams, windows = size
    found: dict[str, list[Flags]] = {}
    for seed in range(streams):
        rng = np.random.default_rng([SEED, place, seed])
        known = stream.windows(BASELINE, rng, live=False)
        for name, flags in monitor(known, stream.windows(windows, rng, live=True)).items():
            found.setdefault(name, []).append(flags)
    rows: list[tuple[Cell, ...]] = []
    for name, all_flags in found.items():
        at = np.stack(all_flags)
        first = np.where(at.any(axis=1), at.argmax(axis=1) + 1, windows + 1)
        middle = float(np.median(first))
        spread = at.std() if streams == 1 else at.mean(axis=1).std(ddof=1) * np.sqrt(windows)
        error = float(spread / np.sqrt(at.size)) * YEAR
        delay = middle if stream.worse and middle <= windows else None
        share = float(at.any(axis=1).mean())
        rows.append((stream.name, name, streams, windows, float(at.mean()) * YEAR, error, share, delay))
    return rows
