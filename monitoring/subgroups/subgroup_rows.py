"""The subgroups in which a model has got worse, found in live windows against its reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline, load_baseline
from monitoring.baseline.predictions import Predictions, no_predictions
from monitoring.config import MonitorConfig
from monitoring.deployment.configured_spec import configured
from monitoring.deployment.places import find_baseline
from monitoring.inspection.outcomes import labelled_rows as read_labelled
from monitoring.inspection.outcomes import last_windows
from monitoring.records import Subgroup, Watch, WindowRecord
from monitoring.sources.read_scope import ReadScope
from monitoring.sources.traffic import open_traffic
from monitoring.subgroups.subgroups import Inputs, ScoredSide, worst_subgroups
from monitoring.tasks.task import SURPRISE
from monitoring.traffic.windows import Window
from monitoring.watches.catalogue import Catalogue, catalogue, labelled_rows
from monitoring.watches.sampling import sample_indices

#: Rows of the reference, and live ones, that are compared at most.
MOST_COMPARED = 60_000

#: Rows of the reference, and live ones, that a page compares at most, so that it costs less than a quarter second.
REFERENCE_ON_PAGE, LIVE_ON_PAGE = 20_000, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgroupResult:
    """Subgroups of some windows."""

    watch: Watch
    subgroups: tuple[Subgroup, ...]
    rows: int
    windows: tuple[Window, ...]


def read_subgroups(
    config: MonitorConfig, version: int, windows: Sequence[WindowRecord], wanted: str, clock: Callable[[], datetime]
) -> SubgroupResult | None:
    """Find the subgroups in which the model has got worse than in other rows.

    Args:
        windows: Windows in order of time, since the model has got worse; the last of `LIVE_ON_PAGE` rows are read, and
            at least one.

    Returns:
        The subgroups; None for a model without a loss, or a reference without labels. Cost: a pass over these windows
        and the reference, and all labels; 0.2 s.
    """
    baseline = load_baseline(find_baseline(config).baseline)
    spec = replace(configured(config, baseline.spec), embedding=None)
    baseline = replace(baseline, spec=spec)
    watches = catalogue(baseline, of_losses=True)
    watch = _compared(watches, wanted)
    if watch is None or not labelled_rows(baseline.rows.answers).any():
        return None
    read = last_windows(windows, LIVE_ON_PAGE)
    live = no_predictions(spec)
    if read:
        scope = ReadScope(since=read[0].start, lean=True)
        live = read_labelled(open_traffic(config, baseline, version, clock=clock, scope=scope), read, spec)
    live = live.take(labelled_rows(live))
    live = live.take(sample_indices(live, LIVE_ON_PAGE))
    length_us = window_length_us(read)
    before = reference_rows(baseline, REFERENCE_ON_PAGE)
    return SubgroupResult(
        watch=watch,
        subgroups=worst_subgroups(
            scored_sides(watches, before, length_us, is_live=False)[watch.name],
            scored_sides(watches, live, length_us, is_live=True)[watch.name],
        ),
        rows=len(live),
        windows=read,
    )


def reference_rows(baseline: Baseline, most: int = MOST_COMPARED) -> Predictions:
    """The labelled rows of a reference with their inputs, at most `most`."""
    indices = np.flatnonzero(labelled_rows(baseline.rows.answers))
    answers = baseline.rows.answers.take(indices)
    chosen = sample_indices(answers, most)
    inputs = baseline.rows.inputs(tuple(feature.name for feature in baseline.spec.features))
    return replace(answers.take(chosen), features=inputs.take(pa.array(indices[chosen])))


def window_length_us(windows: Sequence[Window]) -> int:
    """The length of the longest of some windows, in microseconds; 1 without any."""
    return max([(window.end - window.start) // timedelta(microseconds=1) for window in windows], default=1)


def scored_sides(watches: Catalogue, rows: Predictions, length_us: int, *, is_live: bool) -> dict[str, ScoredSide]:
    """Rows with their values of each watch on a loss or surprise, in its own unit."""
    scores, inputs = watches.loss_scores(rows, is_live=is_live), watched_inputs(watches, rows.features)
    window = rows.event_times // length_us
    sides = {
        watch.name: ScoredSide(inputs=inputs, excess=watch.offset + watch.scale * scores[watch.name], window=window)
        for watch in watches.losses.watches
    }
    return {name: _with_excess(side) for name, side in sides.items()}


def _with_excess(side: ScoredSide) -> ScoredSide:
    """The rows that have a loss: of labels in parts, those with its part."""
    has_excess = ~np.isnan(side.excess)
    return side if has_excess.all() else side.part(has_excess)


def _compared(watches: Catalogue, wanted: str) -> Watch | None:
    """The surprise of the wanted loss; or else the wanted loss, the first surprise, the first loss."""
    by_name = {watch.name: watch for watch in watches.losses.watches}
    first = sorted(by_name.values(), key=lambda watch: watch.family != "surprise")
    names = (f"{SURPRISE}{wanted}", wanted, *(watch.name for watch in first))
    return next((by_name[name] for name in names if name in by_name), None)


def watched_inputs(watches: Catalogue, features: pa.Table) -> Inputs:
    """The watched inputs: numbers with NaN, categories as text with null."""
    inputs: dict[str, NDArray[np.float64] | pa.Array] = {}
    for name in (feature_bins.feature for feature_bins in watches.bins):
        column = features[name].combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        inputs[name] = column if is_text else np.asarray(column, dtype=np.float64)
    return inputs
