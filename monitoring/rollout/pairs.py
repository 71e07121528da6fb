"""Rows that both versions have answered, and what a window of them says about each measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.batch import joined
from monitoring.baseline.predictions import Predictions
from monitoring.records import SCORE_ONE, LabelSample
from monitoring.rollout.evidence.assignment import assigned
from monitoring.rollout.evidence.differences import (
    Differences,
    calibration_differences,
    has_expectation,
    losses_of,
    paired_differences,
    surprise_of,
)
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.task import NO_LABEL, Floats, Task, Whole
from monitoring.traffic.windows import Window
from monitoring.watches.scoring import slice_codes

#: The names of the measures: the loss that decides, and the guards that are not slices.
LOSS, CALIBRATION, ERRORS, LATENCY = "loss", "calibration", "errors", "latency_p99"

#: The versions, as a measure of one of them alone is named: NAME@ARM.
CHAMPION, CANDIDATE = "champion", "candidate"

#: A scale is a power of two from this on: differences of all versions that answer nearly alike are below it.
SMALLEST_SCALE = 2.0**-10


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedRows:
    """n rows that both versions have answered.

    Attributes:
        candidate: The candidate's answers, [n, width]; NaN in a row without a usable one.
    """

    rows: Predictions
    candidate: Floats

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> PairedRows:
        """The rows at some indices, or where a mask is true."""
        return PairedRows(rows=self.rows.take(rows), candidate=self.candidate[rows])

    @classmethod
    def joined(cls, parts: Sequence[PairedRows]) -> PairedRows:
        """Rows one after the other; there is at least one part."""
        return cls(
            rows=joined([part.rows for part in parts]), candidate=np.concatenate([part.candidate for part in parts])
        )

    def swapped(self) -> PairedRows:
        """The same rows with the versions in each other's place."""
        return PairedRows(rows=replace(self.rows, probabilities=self.candidate), candidate=self.rows.probabilities)

    @property
    def champion(self) -> Floats:
        """The champion's answers, [n, width]; NaN in a row without a usable one."""
        return self.rows.probabilities

    @property
    def labels(self) -> Whole:
        """Codes of the task, [n] or [n, parts]."""
        return self.rows.labels


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowEvidence:
    """What one window says, as whole numbers.

    Attributes:
        champion: The sum of the champion's losses over labelled rows, in multiples of 2^-32.
        unusable: Rows that were left out, as the champion's answer is none.
        failed: Rows on which the candidate's answer is none; they count with a loss of 1.
        probability: With which probability the label of a row was asked for; below 1 the sums of losses are 0.
    """

    start: datetime
    end: datetime
    measures: Mapping[str, PairedSums]
    champion: int = 0
    candidate: int = 0
    labelled: int = 0
    unusable: int = 0
    failed: int = 0
    probability: float = 1.0

    @property
    def rows(self) -> int:
        """The rows that count."""
        return self.measures[LOSS].rows

    def document(self) -> dict[str, Any]:
        """The window as JSON, which `of` reads, without its times."""
        return {
            "measures": {name: sums.as_list() for name, sums in self.measures.items()},
            **{name: getattr(self, name) for name in ("champion", "candidate", "labelled", "unusable", "failed")},
            "probability": self.probability,
        }

    @classmethod
    def of(cls, start: datetime, end: datetime, document: Mapping[str, Any]) -> WindowEvidence:
        """The inverse of `document`."""
        measures = {name: PairedSums.from_list(sums) for name, sums in document["measures"].items()}
        return cls(start=start, end=end, **{**document, "measures": measures})


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What is measured of paired rows.

    Attributes:
        scale: What counts as a difference of 1: see `scale_of`.
        slices: Columns whose values are guards of their own, and these values.
    """

    task: Task
    loss: str
    scale: float = 1.0
    slices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    guards: frozenset[str] = frozenset()

    @property
    def slice_names(self) -> tuple[str, ...]:
        """The names of the guards that are slices: ``column=value``."""
        return tuple(f"{column}={value}" for column, values in self.slices.items() for value in values)

    @property
    def measures_calibration(self) -> bool:
        """Whether calibration is a guard, and answers promise a loss."""
        return CALIBRATION in self.guards and has_expectation(self.task, self.loss)

    def scale_of(self, rows: PairedRows) -> float:
        """The scale for a rollout whose first window has these rows.

        Versions that answer nearly alike have small differences, and bets on them may be larger. What a difference may
        be is known without its label, so the scale depends on no label.

        Args:
            rows: The first window's, at least one on which the versions disagree.

        Returns:
            A power of two, so that dividing by it is exact: as large as any difference that is possible in these rows.
        """
        usable = rows.take(answered(rows.champion) & answered(rows.candidate))
        bounds = paired_differences(self.task, self.loss, usable.champion, usable.candidate, usable.labels).largest
        largest = float(bounds.max(initial=0.0))
        return 1.0 if largest <= 0.0 else float(np.clip(2.0 ** np.ceil(np.log2(largest)), SMALLEST_SCALE, 1.0))

    def window(self, window: Window, rows: PairedRows, sample: LabelSample | None = None) -> WindowEvidence:
        """What a window's rows say. Returns the evidence, the same for any order of rows.

        Args:
            sample: Whose labels were asked for, where that was a sample; other labels do not count then.
        """
        usable = rows.take(answered(rows.champion))
        differences = paired_differences(self.task, self.loss, usable.champion, usable.candidate, usable.labels)
        sampled = needed = np.ones(len(usable), dtype=np.bool_)
        if sample is not None:
            sampled, needed = is_sampled(sample, usable), differences.largest > 0.0
        probability = 1.0 if sample is None else sample.probability

        def sums(of: Differences, scale: float, mask: NDArray[np.bool_] | slice = slice(None)) -> PairedSums:
            return PairedSums.of(
                of.values[mask], of.largest[mask], scale=scale, probability=probability, chosen=sampled[mask]
            )

        measures = {LOSS: sums(differences, self.scale)}
        measures |= {name: sums(differences, self.scale, mask) for name, mask in self._masks(usable).items()}
        failed = (~answered(usable.candidate)).astype(np.float64)
        if ERRORS in self.guards:
            measures[ERRORS] = PairedSums.of(failed, failed)
        if self.measures_calibration:
            gap = calibration_differences(self.task, self.loss, usable.champion, usable.candidate, usable.labels)
            measures[CALIBRATION] = sums(gap, gap.scale)
            # Labels are asked for where versions disagree: those say nothing of what one version gets wrong by itself.
            labels = usable.labels if sample is None else np.full_like(usable.labels, NO_LABEL)
            own = surprise_of(self.task, self.loss, usable.candidate, labels)
            measures[arm_name(CALIBRATION, CANDIDATE)] = PairedSums.of(own.values, own.largest, scale=own.scale)
        return WindowEvidence(
            start=window.start,
            end=window.end,
            measures=measures,
            champion=0 if sample else self._total(usable.champion, usable.labels),
            candidate=0 if sample else self._total(usable.candidate, usable.labels),
            labelled=int(np.count_nonzero(has_label(usable.labels) & sampled & needed)),
            unusable=len(rows) - len(usable),
            failed=int(np.count_nonzero(failed)),
            probability=probability,
        )

    def _total(self, answers: Floats, labels: Whole) -> int:
        losses = losses_of(self.task, self.loss, answers, labels)
        return int(np.rint(np.nan_to_num(losses, nan=0.0) * SCORE_ONE).astype(np.int64).sum())

    def _masks(self, rows: PairedRows) -> dict[str, NDArray[np.bool_]]:
        """Which rows are in each slice, [n], by its name."""
        masks: dict[str, NDArray[np.bool_]] = {}
        for column, values in self.slices.items():
            codes = slice_codes(rows.rows.features[column], values)
            masks |= {f"{column}={value}": codes == code for code, value in enumerate(values)}
        return masks


def arm_name(name: str, arm: str) -> str:
    """The name of one version's measure."""
    return f"{name}@{arm}"


def is_sampled(sample: LabelSample, rows: PairedRows) -> NDArray[np.bool_]:
    """Whether each row was chosen; of those on which the versions disagree the label was asked for, [n]."""
    return assigned(sample.salt, rows.rows.ids, sample.probability)


def answered(answers: Floats) -> NDArray[np.bool_]:
    """Which rows have a usable answer, [n]."""
    return np.asarray(np.isfinite(answers).all(axis=1), dtype=np.bool_)
