"""Losses, their surprise and their material rise: on the whole traffic, on slices, and by class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from typing_extensions import override

from monitoring.records import ScoreSum, Watch, WatchKey
from monitoring.tasks.metrics import part_of
from monitoring.tasks.task import MATERIAL, Floats, Task, Whole, loss_of, surprises
from monitoring.watches.classes import ClassSlices
from monitoring.watches.custom.custom_metric import CustomMetrics
from monitoring.watches.estimates import expected_sums
from monitoring.watches.family import Counts, ScoredRows, Sums, WatchFamily
from monitoring.watches.rank import RankWatches
from monitoring.watches.scoring import fixed_point_floats
from monitoring.watches.tally import Tally


@dataclass(frozen=True, kw_only=True, eq=False)
class LossWatches(WatchFamily):
    """The watches on losses and on their surprise, then those on metrics of the user's own.

    Attributes:
        slices: The values of each column that traffic is sliced by.
        knows_expected: Whether it is known what losses to expect: without, no surprise is watched.
    """

    task: Task
    slices: Mapping[str, tuple[str, ...]]
    class_slices: ClassSlices
    custom: CustomMetrics
    knows_expected: bool

    @cached_property
    @override
    def watches(self) -> tuple[Watch, ...]:
        watches = self.task.loss_watches
        if not self.knows_expected:
            watches = tuple(watch for watch in watches if watch.family != "surprise")
        return (*watches, *self.custom.watches(self.task))

    @property
    def sliced(self) -> tuple[Watch, ...]:
        """All of them."""
        return self.watches

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The name of each watch."""
        return tuple(watch.name for watch in self.watches)

    @cached_property
    def slice_names(self) -> tuple[str, ...]:
        """The slices by columns; those by class are `class_slices.names`."""
        return tuple(f"{column}={value}" for column, values in self.slices.items() for value in values)

    def group(self, watch: Watch) -> str:
        """Losses of each class share one."""
        return watch.name if part_of(loss_of(watch.name)) is None else watch.name.partition(":")[0]

    def scores(self, rows: ScoredRows, labels: Whole) -> dict[str, Floats]:
        """Every loss, surprise and metric of rows, [n]; NaN where a label in parts has none for it.

        Args:
            labels: Their labels' codes, [n] or [n, parts].
        """
        losses = self.task.losses(rows.probabilities, labels)
        expected = {metric: loss.losses for metric, loss in rows.expected.items()}
        if not expected:
            expected = self.task.expected_losses(rows.probabilities, rows.outputs)
        scores = losses | surprises(losses, expected)
        return scores | self.custom.scores(self.task, rows.probabilities, labels, rows.features, rows.label_chances)

    def tally_labels(self, rows: ScoredRows, labels: Whole, power: int) -> Counts:
        """See `WatchFamily`: the sums of each loss and of each watch, whole and by slice."""
        scores, counts = self.scores(rows, labels), Counts()
        if self.task.labels_in_parts:
            counts |= self._known_rows(rows, scores)
            scores = {name: np.nan_to_num(values, nan=0.0) for name, values in scores.items()}
        units = {name: fixed_point_floats(values if power == 1 else values**power) for name, values in scores.items()}
        totals = {name: int(values.sum()) for name, values in units.items()}
        counts["realised"] = np.array([totals[metric] for metric in self.task.metrics])
        counts["losses"] = np.array([totals[name] for name in self.names])
        by_slice = [self._by_slice(units[name], rows) for name in self.names]
        counts["slice losses"] = np.array(by_slice, dtype=np.int64)
        if self.class_slices.columns:
            codes = self.class_slices.codes(rows.probabilities, labels)
            counts["class rows"] = self.class_slices.sums(codes)
            counts["class losses"] = np.array([self.class_slices.sums(codes, units[name]) for name in self.names])
        return counts

    def _known_rows(self, rows: ScoredRows, scores: Mapping[str, Floats]) -> Counts:
        """Of labels in parts: the rows with each loss, by slice too, and the losses to expect of these rows alone."""
        has_loss = {name: ~np.isnan(scores[name]) for name in self.names}
        counts = {"loss rows": np.array([np.count_nonzero(has_loss[name]) for name in self.names])}
        by_slice = [self._by_slice(has_loss[name].astype(np.float64), rows) for name in self.names]
        counts["slice rows"] = np.array(by_slice, dtype=np.int64)
        if rows.expected:
            those = {metric: loss.at(has_loss[metric]) for metric, loss in rows.expected.items()}
            counts["expected"] = expected_sums(those, self.task.metrics)
        return counts

    def _by_slice(self, units: Floats, rows: ScoredRows) -> list[int]:
        """Sums by slice of integers below 2^32, exact in floating point up to 2^20 rows."""
        counts: list[int] = []
        for code, values in zip(rows.codes, self.slices.values(), strict=True):
            sums = np.bincount(code, weights=units, minlength=len(values) + 1)
            counts += sums[: len(values)].astype(np.int64).tolist()
        return counts

    def rows_of(self, labelled: Tally, name: str) -> int:
        """How many rows of a tally have the loss: of labelled rows whose labels are in parts, those with its part."""
        if "loss rows" not in labelled.counts:
            return labelled.number("rows")
        return int(labelled.counts["loss rows"][self.names.index(name)])

    def label_sums(self, labelled: Tally) -> Sums:
        """See `WatchFamily`: in all, by slice and by class."""
        rows, sums, names = labelled.number("rows"), Sums(), self.slice_names
        inside = labelled.numbers("groups")[-len(names) :] if names and rows else (0,) * len(names)
        totals = labelled.numbers("losses") or (0,) * len(self.names)
        parts = iter(labelled.numbers("slice losses") or (0,) * (len(self.names) * len(names)))
        in_parts = self.task.labels_in_parts and labelled.counts
        row_counts = iter(labelled.numbers("slice rows") if in_parts else inside * len(self.names))
        for name, total in zip(self.names, totals, strict=True):
            sums[WatchKey(watch=name)] = ScoreSum(self.rows_of(labelled, name), total)
            for part in names:
                sums[WatchKey(watch=name, slice=part)] = ScoreSum(next(row_counts), next(parts))
        return sums | self._class_sums(labelled)

    def _class_sums(self, labelled: Tally) -> Sums:
        names = self.class_slices.names
        if not names:
            return {}
        keys = [(name, part) for name in self.names for part in names]
        rows = (labelled.numbers("class rows") or (0,) * len(names)) * len(self.names)
        totals = labelled.numbers("class losses") or (0,) * len(keys)
        return {
            WatchKey(watch=name, slice=part): ScoreSum(count, total)
            for (name, part), count, total in zip(keys, rows, totals, strict=True)
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class MaterialRises(WatchFamily):
    """The watches on rises that nobody would call harmless, of the losses whose surprise is watched.

    Their scores are those of the losses.
    """

    losses: LossWatches
    ranks: RankWatches

    @cached_property
    @override
    def watches(self) -> tuple[Watch, ...]:
        return self._rises((*self.losses.watches, *self.ranks.watches))

    @cached_property
    def sliced(self) -> tuple[Watch, ...]:
        """Those of losses: the rows of a ranking loss are of one class as it is."""
        return self._rises(self.losses.watches)

    def group(self, watch: Watch) -> str:
        """As their losses."""
        loss = next((rank for rank in self.ranks.watches if watch.name == f"{MATERIAL}{rank.name}"), None)
        return self.losses.group(watch) if loss is None else f"{MATERIAL}{self.ranks.group(loss)}"

    @override
    def label_sums(self, labelled: Tally) -> Sums:
        losses = {loss_of(watch.name) for watch in self.watches}
        sums = self.losses.label_sums(labelled) | self.ranks.label_sums(labelled)
        return {replace(key, watch=f"{MATERIAL}{key.watch}"): sums[key] for key in sums if key.watch in losses}

    @staticmethod
    def _rises(watches: tuple[Watch, ...]) -> tuple[Watch, ...]:
        surprised = {loss_of(watch.name) for watch in watches if watch.family == "surprise"}
        return tuple(
            replace(watch, name=f"{MATERIAL}{watch.name}", family="material")
            for watch in watches
            if watch.name in surprised
        )
