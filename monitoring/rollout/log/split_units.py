"""What is known of a split before it runs: how many keys come, and what the champion's loss of each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.config import MonitorConfig
from monitoring.errors import BadInput
from monitoring.jobs.sources.log_source import LogSource
from monitoring.rollout import decision_rules
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.evidence.differences import loss_scale, losses_of
from monitoring.rollout.evidence.planning import Stream
from monitoring.rollout.evidence.planning_arms import UnitStream
from monitoring.rollout.evidence.verdict import Rules
from monitoring.rollout.pairs import ERRORS, Measures, PairedRows
from monitoring.traffic.format.rows import INPUT
from monitoring.traffic.windows import Window
from monitoring.watches.scoring import slice_codes

#: Windows that are simulated at most: each version's interval has to be found in each of them.
MAX_SPLIT_WINDOWS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """The units of a split."""

    keys: float
    share: float
    coverage: float


def keys_per_day(champion: LogSource, windows: Sequence[Window], config: MonitorConfig) -> float:
    """How many keys come in a day: a key counts once a day, once at all, or each time, as the config says.

    Where the key is no logged input but a header, each row counts as a key: the log does not have it before a split.
    """
    section = config.rollout
    span = {"model": champion.model, "version": champion.version, "start": windows[0].start, "end": windows[-1].end}
    days = (windows[-1].end - windows[0].start).total_seconds() / 86_400.0
    name = f"{INPUT}{section.key}"
    try:
        table = champion.log.read(**span, columns=("prediction_id", "event_time", name))  # type: ignore[arg-type]
    except BadInput:
        table = champion.log.read(**span, columns=("prediction_id", "event_time"))  # type: ignore[arg-type]
        return float(table.num_rows / days)
    keys = table[name]
    keys = pc.list_element(keys, 0) if pa.types.is_list(keys.type) else keys
    if section.sticky == "request":
        return float(table.num_rows / days)
    dates = pc.floor_temporal(table["event_time"], unit="day")
    columns = {"key": keys} if section.sticky == "forever" else {"key": keys, "date": dates}
    return float(pa.table(columns).group_by(list(columns)).aggregate([]).num_rows / days)


def unit_streams(
    measures: Measures, rules: DecisionRules, rows: PairedRows, units: Units
) -> tuple[Stream, Sequence[tuple[Stream, Rules]]]:
    """The units of the loss, and those of each guard with what it may be worse by; calibration and latency apart."""
    scale = loss_scale(measures.task, measures.loss)
    losses = losses_of(measures.task, measures.loss, rows.champion, rows.labels)

    def stream(values: np.ndarray, part: float = 1.0) -> UnitStream:
        finite = values[np.isfinite(values)]
        mean, square = (float(finite.mean()), float((finite**2).mean())) if finite.size else (0.5, 0.5)
        return UnitStream(rows=units.keys * part, share=units.share, mean=mean, square=square, coverage=units.coverage)

    def limited(name: str, unit: float) -> Rules:
        return Rules(margin=rules.limit(name, scale), alpha=rules.wrong, scale=unit, missing=rules.missing_labels)

    guards: list[tuple[Stream, Rules]] = []
    for column, values in measures.slices.items():
        codes = slice_codes(rows.rows.features[column], values)
        masks = [codes == code for code in range(len(values))]
        guards += [
            (stream(losses[mask], float(mask.mean())), limited(decision_rules.SLICES, scale))
            for mask in masks
            if mask.any()
        ]
    if ERRORS in measures.guards:
        errors = UnitStream(rows=units.keys, share=units.share, mean=0.0, square=0.0)
        guards.append((errors, limited(decision_rules.ERRORS, 1.0)))
    return stream(losses), guards
