"""The catalogue: every watch of a deployment, family by family, and what their scores are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import MAX_SLICE_VALUES, Bins, commonest
from monitoring.errors import BadInput
from monitoring.records import Watch, WatchKey
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.label_scores import VarietyPart
from monitoring.tasks.task import Floats, Task, Whole
from monitoring.watches.answer_watches import EstimateWatches, OutputWatches
from monitoring.watches.calibration import MIN_ROWS, Calibration
from monitoring.watches.calibration_watches import CalibrationWatches
from monitoring.watches.classes import ClassSlices
from monitoring.watches.custom.custom_metric import NO_METRICS, CustomMetrics
from monitoring.watches.embedding import EmbeddingSource, embedding_bins
from monitoring.watches.estimates import ExpectedLoss
from monitoring.watches.family import ScoredRows, WatchFamily
from monitoring.watches.feature_space import FeatureSpace
from monitoring.watches.inputs import InputWatches
from monitoring.watches.integrity import IntegrityWatches
from monitoring.watches.joint import JointWatch
from monitoring.watches.label_coverage import CoverageGroups
from monitoring.watches.label_shares import LabelWatches
from monitoring.watches.loss_watches import LossWatches, MaterialRises
from monitoring.watches.measured.measured_metrics import MeasuredMetrics
from monitoring.watches.multilabel_calibration import MultilabelCalibration
from monitoring.watches.rank import RankWatches
from monitoring.watches.residuals import ResidualModel
from monitoring.watches.selection import SelectionGaps

F = TypeVar("F", bound=WatchFamily)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The watches of all families for one baseline, and the slices on which losses are watched as well.

    `calibration` or `residuals` say what losses to expect without labels. They, `feature_space`, `embedding` and
    `measured`, the metrics that are shown and not tested, are None where the baseline cannot support them. `sources`
    are the columns that inputs describe, by the names of those inputs.
    """

    task: Task
    bins: tuple[Bins, ...]
    slices: Mapping[str, tuple[str, ...]]
    families: tuple[WatchFamily, ...]
    calibration: Calibration | MultilabelCalibration | None = None
    residuals: ResidualModel | None = None
    feature_space: FeatureSpace | None = None
    embedding: EmbeddingSource | None = None
    answer_parts: tuple[VarietyPart, ...] = ()
    measured: MeasuredMetrics | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def watches(self) -> dict[str, Watch]:
        """Every watch by its name."""
        return {watch.name: watch for family in self.families for watch in family.watches}

    @cached_property
    def keys(self) -> tuple[WatchKey, ...]:
        """Every watch on the whole traffic, then the loss watches on each slice, then on each class."""
        whole = [WatchKey(watch=name) for name in self.watches]
        sliced = [watch for family in self.families for watch in family.sliced]
        parts = (*self.losses.slice_names, *self.losses.class_slices.names)
        return (*whole, *(WatchKey(watch=watch.name, slice=part) for part in parts for watch in sliced))

    @property
    def groups(self) -> dict[str, str]:
        """The group of each watch, whose watches share a weight."""
        return {watch.name: family.group(watch) for family in self.families for watch in family.watches}

    def find(self, kind: type[F]) -> F | None:
        """The family of a kind; None where the baseline has none."""
        return next((family for family in self.families if isinstance(family, kind)), None)

    def _family(self, kind: type[F]) -> F:
        family = self.find(kind)
        if family is None:
            raise LookupError(f"a catalogue without {kind.__name__}")
        return family

    @cached_property
    def losses(self) -> LossWatches:
        """The family of losses; every catalogue has it."""
        return self._family(LossWatches)

    @cached_property
    def ranks(self) -> RankWatches:
        """The family of ranking losses, of a catalogue of all watches."""
        return self._family(RankWatches)

    @cached_property
    def labels(self) -> LabelWatches:
        """The family of labels themselves, of a catalogue of all watches."""
        return self._family(LabelWatches)

    @cached_property
    def coverage(self) -> CoverageGroups | None:
        """The groups whose label coverage is watched."""
        return self.find(CoverageGroups)

    def scored(
        self, answers: Floats, features: pa.Table, times: NDArray[np.int64] | None = None, *, bins: Whole | None = None
    ) -> ScoredRows:
        """Score rows as far as that needs no label.

        Args:
            answers: Finite answers, [n, width].
            features: Their inputs, [n], if the residual model or metrics of the user's own read any.
            times: Event times of rows of the baseline, [n]; None for live rows.
            bins: Of two classes: the bin of each row in the calibration, [n], where it is known.
        """
        calibrated, expected = None, dict[str, ExpectedLoss]()
        if self.calibration is not None:
            if isinstance(self.calibration, Calibration) and bins is not None:
                calibrated = self.calibration.of_bins(bins)
            else:
                calibrated = self.calibration.calibrated(answers)
            expected = self.calibration.losses_drawn_by(answers, calibrated)
        if self.residuals is not None:
            expected = self.residuals.expected(answers, features, times)
        return ScoredRows(
            probabilities=answers,
            outputs=self.task.outputs(answers),
            calibrated=calibrated,
            expected=expected,
            features=features.select(list(self.losses.custom.inputs)),
            bins=bins,
        )

    def loss_scores(self, rows: Predictions, *, is_live: bool) -> dict[str, Floats]:
        """The scores of the watches on losses and surprise. Returns scores in [0, 1], [n], by the name of their watch.

        Args:
            rows: Labelled rows with finite answers, with the inputs that metrics of the user's own read.
            is_live: Whether they are no rows of the baseline.
        """
        scored = self.scored(rows.probabilities, rows.features, None if is_live else rows.event_times)
        scores = self.losses.scores(scored, rows.labels)
        return {name: scores[name] for name in self.losses.names}


def _calibration(task: Task, labelled: Predictions) -> Calibration | MultilabelCalibration | None:
    """The calibration of a classifier, fitted to labelled rows with usable answers."""
    if task.is_multilabel:
        return MultilabelCalibration.fit(task, labelled.probabilities, labelled.labels)
    if task.exclusive:
        return Calibration.fit(labelled.probabilities, labelled.labels, task.costs)
    return None


def labelled_rows(predictions: Predictions) -> NDArray[np.bool_]:
    """Which rows have a label and finite probabilities, [n]."""
    answered = np.isfinite(predictions.probabilities).all(axis=1)
    return np.asarray(has_label(predictions.labels) & answered, dtype=np.bool_)


def _feature_space(baseline: Baseline) -> FeatureSpace | None:
    numbers, number_counts = embedding_bins(baseline)
    input_bins, input_counts = baseline.input_bins
    return FeatureSpace.fit(
        (*numbers, *input_bins),
        (*number_counts, *input_counts),
        baseline.rows,
        unwatched=() if baseline.spec.embedding is None else baseline.spec.embedding.columns,
    )


def _slice_values(baseline: Baseline, columns: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The commonest values of each column that traffic is sliced by."""
    kinds = {feature.name: feature.kind for feature in baseline.spec.features}
    slices: dict[str, tuple[str, ...]] = {}
    for column in columns:
        if kinds.get(column) != "category":
            raise BadInput(
                "Traffic can be sliced by a category input only.",
                got=f"slice column {column!r}",
                expected=f"one of {', '.join(name for name, kind in kinds.items() if kind == 'category') or '(none)'}",
                fix="Change --slices, or `slices` in the [traffic] section.",
            )
        words = baseline.rows.inputs([column])[column].combine_chunks()
        slices[column] = tuple(sorted(commonest(words, MAX_SLICE_VALUES)))
    return slices


def catalogue(
    baseline: Baseline,
    slice_columns: tuple[str, ...] = (),
    class_slices: tuple[str, ...] = (),
    selection_groups: tuple[str, ...] = (),
    *,
    custom: CustomMetrics = NO_METRICS,
    of_losses: bool = False,
) -> Catalogue:
    """All watches for a baseline.

    Args:
        custom: Metrics of the user's own.
        of_losses: The watches on losses alone, without ranking losses.
    """
    slices, task, spec = _slice_values(baseline, slice_columns), baseline.spec.task, baseline.spec
    reference = baseline.rows.answers
    is_labelled = labelled_rows(reference)
    enough = int(is_labelled.sum()) >= MIN_ROWS
    calibration = _calibration(task, reference.take(is_labelled)) if enough else None
    residuals = ResidualModel.fit(baseline, is_labelled) if enough and task.metrics and not task.classes else None
    losses = LossWatches(
        task=task,
        slices=slices,
        class_slices=ClassSlices.fit(class_slices, spec.classes, reference.labels, slice_columns),
        custom=custom,
        knows_expected=bool(task.classes) or residuals is not None,
    )
    watched = Catalogue(
        task=task, bins=baseline.bins, slices=slices, families=(losses,), calibration=calibration, residuals=residuals
    )
    if of_losses:
        return watched
    watched = replace(
        watched,
        answer_parts=task.varied_parts(reference.probabilities[np.isfinite(reference.probabilities).all(axis=1)]),
        sources={feature.name: feature.source for feature in spec.features if feature.source},
        feature_space=_feature_space(baseline),
    )
    return replace(watched, families=_families(baseline, watched, is_labelled, selection_groups))


def _families(
    baseline: Baseline, watched: Catalogue, is_labelled: NDArray[np.bool_], selection_groups: tuple[str, ...]
) -> tuple[WatchFamily, ...]:
    """Every family that the baseline can support: a new one is a row here. The order is that of tests and records."""
    spec, task, bins, reference = baseline.spec, baseline.spec.task, baseline.bins, baseline.rows.answers
    probabilities, labels = reference.probabilities[is_labelled], reference.labels[is_labelled]
    losses, calibration, slices, space = watched.losses, watched.calibration, watched.slices, watched.feature_space
    calibrated = probabilities if calibration is None else calibration.calibrated(probabilities)
    knows_scores = bool(spec.classes and spec.has_probabilities)
    ranks = RankWatches.fit(spec.classes, probabilities, labels, calibrated) if knows_scores else RankWatches()
    families = (
        losses,
        ranks,
        MaterialRises(losses=losses, ranks=ranks),
        CalibrationWatches.fit(task, calibration, probabilities) if calibration is not None and task.classes else None,
        LabelWatches.fit(task, labels),
        None if calibration is None and watched.residuals is None else EstimateWatches(task=task),
        IntegrityWatches.of(task, bins, baseline.profile),
        OutputWatches(task=task),
        SelectionGaps.of(task, slices, selection_groups),
        InputWatches.of(bins, baseline.profile),
        None if space is None else JointWatch.of(space),
        CoverageGroups.of(reference, spec, slices),
    )
    return tuple(family for family in families if family is not None)
