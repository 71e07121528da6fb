"""Alarms of other products on days of real flights: resampled baseline days, and April to December."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pyarrow as pa

from benchmarks.flights import flights_config
from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth import monitor_peers as peers
from benchmarks.truth.flights import RESAMPLED, YEAR
from benchmarks.truth.level_streams import Alarms, resampled
from benchmarks.truth.monitor_peers import Flags, Windows
from benchmarks.truth.peers import cached_flags, standard_error
from monitoring.baseline.predictions import Predictions
from monitoring.config import MonitorConfig
from monitoring.deployment.deployment import deploy
from monitoring.judging.window.windowing import split_by_window
from monitoring.sources.log_source import LogSource
from monitoring.sources.traffic import traffic_path, with_labels

SEED = 20_130_403

#: Years resampled from the results on the baseline's days.
STREAMS = 500

#: A slow product evaluates every ninth day only, so that all days of the week are equally frequent.
EVERY_NINTH = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Days of the baseline and later days, in order, as frames of inputs, `score`, `prediction` and `label`."""

    baseline: Windows
    live: Windows


def measure(settings: Settings) -> Result:
    """Measure each product on both periods. Cost: three minutes on two cores; stored results are reused."""
    cache = settings.out / "peers"
    cache.mkdir(parents=True, exist_ok=True)
    days = flights_days(flights_config(settings))
    every = 8 if settings.quick else 1
    resampling: list[tuple[Cell, ...]] = []
    season: list[tuple[Cell, ...]] = []
    for name, product, step in _products(settings):
        for period, windows in (("baseline", days.baseline), ("season", days.live)):
            some = windows[:: step * every]
            path = cache / f"flights-{period}-{step * every}-{name}.json"
            for monitor, flags in cached_flags(path, partial(product, days.baseline, some)).items():
                if period == "baseline":
                    resampling += list(_resampled_rows(monitor, flags))
                else:
                    season.append(_season_row(monitor, flags, step * every))
        print(f"flights: {name}", file=sys.stderr)
    return Result(tables=(_resampling_table(resampling), _season_table(season, len(days.live))))


def flights_days(config: MonitorConfig) -> Days:
    """The demo's days in the monitor's windows, with the last label of each row."""
    deployment = deploy(config)
    reference = deployment.baseline.reference
    baseline = [
        frame_of(reference.take(rows))
        for _, rows in split_by_window(reference.event_times, deployment.plan)
        if rows.size
    ]
    spec = deployment.baseline.spec
    reader = LogSource(traffic_path(config), config.model, spec, version=deployment.version)
    labels = reader.latest_labels()
    read = (
        with_labels(reader.read(window)[0], labels, spec.task)
        for window in deployment.plan.due_windows(reader, after=None, now=datetime.now(UTC))
    )
    return Days(baseline=baseline, live=[frame_of(predictions) for predictions in read if len(predictions)])


def frame_of(predictions: Predictions) -> peers.Frame:
    """Labelled rows as a frame: numbers as floats, categories as text, missing ones empty."""
    some = predictions.take(predictions.labels >= 0)
    frame: peers.Frame = some.features.to_pandas()
    for column in frame:
        if pa.types.is_string(some.features[column].type):
            frame[column] = frame[column].fillna("").astype(object)
    frame["score"] = some.probabilities[:, 1]
    frame["prediction"] = some.probabilities.argmax(axis=1)
    frame["label"] = some.labels
    return frame


def _products(settings: Settings) -> Iterator[tuple[str, Callable[[Windows, Windows], dict[str, Flags]], int]]:
    """Name of the result file, product, and share of the days that it evaluates."""

    def named(name: str, flags: Callable[[Windows, Windows], Flags]) -> Callable[[Windows, Windows], dict[str, Flags]]:
        return lambda baseline, live: {name: flags(baseline, live)}

    yield "nannyml", named("NannyML defaults", partial(peers.nannyml_defaults, folder=settings.out / "nannyml")), 1
    yield "bonferroni", named("KS and χ², Bonferroni .05", peers.bonferroni), 1
    yield "evidently", peers.evidently_preset, EVERY_NINTH
    yield "tfdv", named("TFDV comparators at .1", peers.tfdv_comparators), EVERY_NINTH


def _resampled_rows(monitor: str, flags: Flags) -> Iterator[tuple[Cell, ...]]:
    for name, length in RESAMPLED.items():
        rng = np.random.default_rng([SEED, length])
        at = Alarms(at=flags[resampled(flags.size, rng, streams=STREAMS, windows=YEAR, length=length)])
        share = float(at.at.mean())
        error = standard_error(share, flags.size)
        yield (monitor, name, flags.size, share * YEAR, error * YEAR, at.share_with_any(YEAR), at.share_with_any(30))


def _season_row(monitor: str, flags: Flags, step: int) -> tuple[Cell, ...]:
    first = int(np.argmax(flags)) * step + 1 if flags.any() else None
    month = flags[: max(30 // step, 1)]
    return monitor, flags.size, int(flags.sum()), float(flags.mean()), first, float(month.mean())


def _resampling_table(rows: list[tuple[Cell, ...]]) -> Table:
    return Table(
        title="Products on the flights' baseline days, without change",
        columns=("monitor", "resampled", "distinct days", "alarms per 365", "± SE", "any in 365", "any in 30"),
        rows=tuple(rows),
        note=(
            f"{STREAMS} years resampled from the results on the baseline's days, each evaluated once against the"
            " baseline, which contains it; ± is that of the share of flagged days, assuming independent days. Where a"
            " product evaluated every ninth day, a block of seven is of evaluated days."
        ),
    )


def _season_table(rows: list[tuple[Cell, ...]], days: int) -> Table:
    return Table(
        title=f"Products on the {days} days after the baseline",
        columns=("monitor", "days evaluated", "days flagged", "share", "first flagged, day", "share of the first 30"),
        rows=tuple(rows),
        note="Each day against the baseline of January to March. A dash: no day was flagged.",
    )
