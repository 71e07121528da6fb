"""What a window of a split says of each version, by units."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.records import SCORE_ONE
from monitoring.rollout.comparing import CANDIDATE, CHAMPION, arm_name
from monitoring.rollout.evidence.arms import unit_sums
from monitoring.rollout.evidence.differences import expected_losses_of, losses_of
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.pairs import CALIBRATION, ERRORS, LATENCY, LOSS, Measures, WindowEvidence, answered
from monitoring.rollout.split.arms_log import ArmRows, SplitWindow
from monitoring.tasks.label_codes import has_label
from monitoring.traffic.windows import Window
from monitoring.watches.scoring import slice_codes


def split_evidence(
    window: Window, split: SplitWindow, measures: Measures, slow_us: float | None = None
) -> WindowEvidence:
    """The evidence of a window. `slow_us`: from which latency on a row is slow; None: latencies are not compared."""
    arms = {CHAMPION: split.champion, CANDIDATE: split.candidate}
    sums: dict[str, PairedSums] = {}
    for arm, rows in arms.items():
        sums |= {arm_name(name, arm): measure_sums for name, measure_sums in _arm(rows, measures, slow_us).items()}
    both = sums[arm_name(LOSS, CHAMPION)] + sums[arm_name(LOSS, CANDIDATE)]
    totals = [_total(rows, measures) for rows in arms.values()]
    return WindowEvidence(
        start=window.start,
        end=window.end,
        measures={LOSS: both, **sums},
        champion=totals[0],
        candidate=totals[1],
        labelled=sum(int(np.count_nonzero(has_label(rows.rows.labels))) for rows in arms.values()),
        failed=int(np.count_nonzero(~answered(split.candidate.rows.probabilities))),
    )


def _arm(rows: ArmRows, measures: Measures, slow_us: float | None) -> dict[str, PairedSums]:
    """The sums of each measure of one version."""
    answers, labels = rows.rows.probabilities, rows.rows.labels
    units = _codes(rows)
    losses = losses_of(measures.task, measures.loss, answers, labels)
    measure_sums = {LOSS: unit_sums(losses, units)}
    for column, values in measures.slices.items():
        codes = slice_codes(rows.rows.features[column], values)
        for code, value in enumerate(values):
            mask = codes == code
            measure_sums[f"{column}={value}"] = unit_sums(losses[mask], units[mask])
    if ERRORS in measures.guards:
        measure_sums[ERRORS] = unit_sums((~answered(answers)).astype(np.float64), units)
    if measures.measures_calibration:
        surprise = losses - expected_losses_of(measures.task, measures.loss, answers)
        measure_sums[CALIBRATION] = unit_sums(surprise / 2.0, units)  # in the scale of the difference of two surprises
    if slow_us is not None:
        measure_sums[LATENCY] = unit_sums((rows.latencies > slow_us).astype(np.float64), units)
    return measure_sums


def _codes(rows: ArmRows) -> NDArray[np.int64]:
    """The unit of each row as a code from 0 on, [n]."""
    if not len(rows.units):
        return np.zeros(0, dtype=np.int64)
    return np.asarray(pc.dictionary_encode(rows.units).indices, dtype=np.int64)


def _total(rows: ArmRows, measures: Measures) -> int:
    losses = losses_of(measures.task, measures.loss, rows.rows.probabilities, rows.rows.labels)
    return int(np.rint(np.nan_to_num(losses, nan=0.0) * SCORE_ONE).astype(np.int64).sum())
