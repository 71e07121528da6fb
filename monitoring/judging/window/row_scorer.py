"""Sums over rows of all that their answers and labels say, in whole numbers: the same in any order of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.judging.window.tally import LossSum, Tally, Whole
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey
from monitoring.watches import estimates, outputs, performance, surprise
from monitoring.watches.calibration import Calibration
from monitoring.watches.catalogue import Catalogue
from monitoring.watches.estimates import PREFIX
from monitoring.watches.scoring import (
    fixed_point,
    fixed_point_floats,
    fixed_point_sum,
    row_choices,
    row_maxima,
    slice_codes,
)

Floats = NDArray[np.float64]

#: Losses that are estimated, and held against true ones.
METRICS = ("error", "brier")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredRows:
    """n rows with a usable answer, and what is made of each answer once.

    `codes` int64 [n] are places among each slice column's values. `counts` are those that need no label.
    """

    probabilities: Floats
    confidence: Floats
    codes: tuple[Whole, ...]
    answers: Mapping[str, Floats]
    counts: Mapping[str, Whole]
    confusion: Whole | None


class RowScorer:
    """Makes tallies for one baseline's watches; `threshold` is that of confidence, where errors are estimated by it.

    Cost: about 100 ns a row for all of it, some 50 passes over columns that the processor's cache holds.
    """

    def __init__(self, catalogue: Catalogue, *, threshold: float | None = None, most_classes: int = 0) -> None:
        self._catalogue = catalogue
        self._threshold = threshold
        self._confused = catalogue.calibration is not None and len(catalogue.classes) <= most_classes
        self._answers = tuple(watch.name for watch in catalogue.output_watches)
        self._losses = tuple(watch.name for watch in catalogue.loss_watches)
        self._estimates = tuple(watch.name for watch in catalogue.estimate_watches)
        self._slices = tuple(f"{column}={value}" for column, values in catalogue.slices.items() for value in values)

    def scored(self, probabilities: Floats, features: pa.Table, inside: NDArray[np.bool_] | None) -> ScoredRows:
        """What is made of answers, of the rows where `inside` is true; there they are numbers."""
        given = probabilities if inside is None else probabilities[inside]
        codes = [slice_codes(features[column], values) for column, values in self._catalogue.slices.items()]
        if inside is not None:
            codes = [code[inside] for code in codes]
        confidence = row_maxima(given)
        counts = {"rows": np.array(len(given)), "parts": self._parts(given, confidence, codes)}
        calibration, confusion = self._catalogue.calibration, None
        if calibration is not None:
            counts["expected"], confusion = self._expected(given, calibration)
            if self._threshold is not None:
                counts["below"] = np.array(np.count_nonzero(confidence < self._threshold))
        scores = outputs.scores(given, self._catalogue.classes, confidence)
        return ScoredRows(
            probabilities=given,
            confidence=confidence,
            codes=tuple(codes),
            answers={name: scores[name] for name in self._answers},
            counts=counts,
            confusion=confusion,
        )

    def _expected(self, given: Floats, calibration: Calibration) -> tuple[Whole, Whole | None]:
        """Sums of the losses that calibration expects and of their variances, [metrics, 2], and their confusion.

        Rows of two classes that fell into one bin and were answered alike expect the same error: they are counted.
        """
        if len(self._catalogue.classes) != 2:
            calibrated = calibration.calibrated(given)
            expected = estimates.calibrated_confidence(given, calibrated)
            sums = [
                (fixed_point_sum(expected[one].losses), fixed_point_sum(expected[one].variances)) for one in METRICS
            ]
            return np.array(sums), _confusion(given, calibrated) if self._confused else None
        places = calibration.bins(given)
        bins = calibration.of_bins(np.arange(calibration.values[0].size))
        alike = np.bincount(2 * places + row_choices(given), minlength=bins.size).reshape(bins.shape)
        wrong = 1.0 - bins
        brier = estimates.expected_brier(given, calibration.of_bins(places))
        sums = [
            (int((alike * fixed_point(wrong)).sum()), int((alike * fixed_point(wrong * (1.0 - wrong))).sum())),
            (fixed_point_sum(brier.losses), fixed_point_sum(brier.variances)),
        ]
        return np.array(sums), alike.T @ fixed_point(bins) if self._confused else None

    def answered(self, scored: ScoredRows) -> Tally:
        """The tally of answered rows."""
        counts = dict(scored.counts)
        counts["answers"] = np.array([fixed_point_sum(scored.answers[name]) for name in self._answers], dtype=np.int64)
        if scored.confusion is not None:
            counts["confusion"] = scored.confusion
        return Tally(counts)

    def labelled(self, scored: ScoredRows, labels: Whole) -> Tally:
        """The tally of labelled rows, at most 2^20; `labels` int64 [n] are class indices."""
        losses = performance.scores(scored.probabilities, labels)
        surprises = surprise.surprises(losses, surprise.expected_losses(scored.probabilities, scored.confidence))
        units = {name: fixed_point_floats(values) for name, values in (losses | surprises).items()}
        totals = {name: int(values.sum()) for name, values in units.items()}
        counts = dict(scored.counts)
        counts["realised"] = np.array([totals[metric] for metric in METRICS])
        counts["losses"] = np.array([totals[name] for name in self._losses])
        by_slice = [self._by_slice(units[name], scored) for name in self._losses]
        counts["slice losses"] = np.array(by_slice, dtype=np.int64)
        classes = self._catalogue.class_slices
        if classes.columns:
            codes = classes.codes(scored.probabilities, labels)
            counts["class rows"] = classes.sums(codes)
            counts["class losses"] = np.array([classes.sums(codes, units[name]) for name in self._losses])
        return Tally(counts)

    def prediction_sums(self, answered: Tally) -> dict[WatchKey, ScoreSum]:
        """Sums of the watches on answers and on estimated losses."""
        rows, totals = answered.number("rows"), answered.numbers("answers") or (0,) * len(self._answers)
        found = {WatchKey(watch=name): ScoreSum(rows, total) for name, total in zip(self._answers, totals, strict=True)}
        for name in self._estimates:
            total = self.expected(answered, name.removeprefix(PREFIX)).losses
            found[WatchKey(watch=name)] = ScoreSum(rows, total)
        return found

    def label_sums(self, labelled: Tally) -> dict[WatchKey, ScoreSum]:
        """Sums of the watches on losses, whole, by slice and by class."""
        rows, found = labelled.number("rows"), {}
        inside = labelled.numbers("parts")[-len(self._slices) :] if self._slices and rows else (0,) * len(self._slices)
        totals = labelled.numbers("losses") or (0,) * len(self._losses)
        parts = iter(labelled.numbers("slice losses") or (0,) * (len(self._losses) * len(self._slices)))
        for name, total in zip(self._losses, totals, strict=True):
            found[WatchKey(watch=name)] = ScoreSum(rows, total)
            for part, count in zip(self._slices, inside, strict=True):
                found[WatchKey(watch=name, slice=part)] = ScoreSum(count, next(parts))
        return found | self._class_sums(labelled)

    def _class_sums(self, labelled: Tally) -> dict[WatchKey, ScoreSum]:
        names = self._catalogue.class_slices.names
        if not names:
            return {}
        keys = [(name, part) for name in self._losses for part in names]
        rows = (labelled.numbers("class rows") or (0,) * len(names)) * len(self._losses)
        totals = labelled.numbers("class losses") or (0,) * len(keys)
        return {
            WatchKey(watch=name, slice=part): ScoreSum(count, total)
            for (name, part), count, total in zip(keys, rows, totals, strict=True)
        }

    def part_counts(self, tally: Tally) -> tuple[int, ...]:
        """Rows and rows in each part, as `monitoring.watches.label_coverage.CoverageGroups.counts`."""
        return (tally.number("rows"), *(tally.numbers("parts") or (0,) * self._part_count))

    def expected(self, tally: Tally, metric: str) -> LossSum:
        """Losses that calibration expects."""
        if not tally.counts or "expected" not in tally.counts:
            return LossSum(rows=tally.number("rows"), losses=0, variances=0)
        losses, variances = tally.counts["expected"][METRICS.index(metric)].tolist()
        return LossSum(rows=tally.number("rows"), losses=losses, variances=variances)

    def thresholded(self, tally: Tally) -> LossSum:
        """Errors that the threshold of confidence expects; the variance is that of rows with their common share."""
        rows = tally.number("rows")
        below = tally.number("below")
        share = below / rows if rows else 0.0
        alike = LossSum.alike(rows, 0.0, share * (1.0 - share))
        return LossSum(rows=rows, losses=below * SCORE_ONE, variances=alike.variances)

    @property
    def width(self) -> int:
        """How many classes there are."""
        return len(self._catalogue.classes)

    def confusion(self, tally: Tally) -> tuple[tuple[float, ...], ...]:
        """The expected confusion matrix as shares of all rows: [answered class][true class]."""
        rows = max(tally.number("rows"), 1)
        totals = tally.numbers("confusion") or (0,) * self.width**2
        shares = [total / (rows * SCORE_ONE) for total in totals]
        return tuple(tuple(shares[at : at + self.width]) for at in range(0, self.width**2, self.width))

    @property
    def _part_count(self) -> int:
        parts = self._catalogue.coverage
        return 0 if parts is None else len(parts.names)

    def _parts(self, given: Floats, confidence: Floats, codes: list[Whole]) -> Whole:
        parts = self._catalogue.coverage
        width = len(self._catalogue.classes)
        counts = []
        if parts is not None and parts.edges is None:
            counts.append(np.bincount(row_choices(given), minlength=width))
        elif parts is not None and parts.edges is not None:
            score = given[:, 1] if width == 2 else confidence
            above = [len(given), *(int(np.count_nonzero(score >= edge)) for edge in parts.edges), 0]
            counts.append(-np.diff(np.array(above)))
        for code, values in zip(codes, self._catalogue.slices.values(), strict=True):
            counts.append(np.bincount(code, minlength=len(values) + 1)[: len(values)])
        return np.concatenate(counts).astype(np.int64) if counts else np.zeros(0, np.int64)

    def _by_slice(self, units: Floats, scored: ScoredRows) -> list[int]:
        """Sums of whole numbers below 2^32 by slice: exact in floating point up to 2^20 rows."""
        found: list[int] = []
        for code, values in zip(scored.codes, self._catalogue.slices.values(), strict=True):
            sums = np.bincount(code, weights=units, minlength=len(values) + 1)
            found += sums[: len(values)].astype(np.int64).tolist()
        return found


def _confusion(probabilities: Floats, calibrated: Floats) -> Whole:
    """Calibrated probabilities in fixed point by [answered class, true class]."""
    width = probabilities.shape[1]
    chosen = row_choices(probabilities)
    found = np.zeros((width, width), dtype=np.int64)
    for place in range(width):
        units = fixed_point_floats(calibrated[:, place])
        found[:, place] = np.bincount(chosen, weights=units, minlength=width)
    return found
