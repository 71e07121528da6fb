"""The catalogue: every watch of a deployment, and a window's sums for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Bins, Profile, commonest
from monitoring.errors import BadInput
from monitoring.records import ScoreSum, Watch, WatchKey
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.metrics import part_of
from monitoring.tasks.task import ESTIMATED, MATERIAL, Floats, Task, loss_of, surprises
from monitoring.watches import estimates, inputs, integrity, joint, scoring
from monitoring.watches.calibration import MIN_ROWS, Calibration
from monitoring.watches.calibration_watches import CalibrationWatches
from monitoring.watches.classes import ClassSlices
from monitoring.watches.custom.custom_metric import CustomMetrics
from monitoring.watches.embedding import EmbeddingSource, embedding_bins
from monitoring.watches.feature_space import FeatureSpace
from monitoring.watches.label_coverage import CoverageGroups
from monitoring.watches.label_shares import LabelWatches
from monitoring.watches.measured.measured_metrics import MeasuredMetrics
from monitoring.watches.multilabel_calibration import MultilabelCalibration
from monitoring.watches.rank import RankWatches
from monitoring.watches.residuals import ResidualModel
from monitoring.watches.selection import SelectionGaps
from monitoring.watches.variety import VarietyPart, answer_parts

#: Slices per column: its commonest values in the baseline.
MAX_SLICE_VALUES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The watches of all families for one baseline, and the slices on which losses are watched as well.

    `calibration` or `residuals` say what losses to expect without labels. They, `feature_space`, `coverage`,
    `embedding` and `measured`, the metrics that are shown and not tested, are None where the baseline cannot support
    them. `sources` are the columns that inputs describe, by the names of those inputs.
    """

    task: Task
    bins: tuple[Bins, ...]
    slices: Mapping[str, tuple[str, ...]]
    inputs: tuple[inputs.InputWatch, ...]
    integrity: tuple[Watch, ...]
    calibration: Calibration | MultilabelCalibration | None = None
    calibration_watches: CalibrationWatches | None = None
    residuals: ResidualModel | None = None
    feature_space: FeatureSpace | None = None
    coverage: CoverageGroups | None = None
    embedding: EmbeddingSource | None = None
    class_slices: ClassSlices = field(default_factory=ClassSlices)
    ranks: RankWatches = field(default_factory=RankWatches)
    labels: LabelWatches = field(default_factory=LabelWatches)
    selection: SelectionGaps = field(default_factory=SelectionGaps)
    answer_parts: tuple[VarietyPart, ...] = ()
    custom: CustomMetrics = field(default_factory=CustomMetrics)
    measured: MeasuredMetrics | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def loss_watches(self) -> tuple[Watch, ...]:
        """The watches on losses and on their surprise, where it is known what losses to expect; then on own metrics."""
        watches = self.task.loss_watches
        if not self.task.classes and self.residuals is None:
            watches = tuple(watch for watch in watches if watch.family != "surprise")
        return (*watches, *self.custom.watches(self.task))

    @property
    def material_watches(self) -> tuple[Watch, ...]:
        """The watches on rises that nobody would call harmless, of the losses whose surprise is watched.

        Their scores are those of the losses.
        """
        watches = (*self.loss_watches, *self.ranks.watches)
        surprised = {loss_of(watch.name) for watch in watches if watch.family == "surprise"}
        return tuple(
            replace(watch, name=f"{MATERIAL}{watch.name}", family="material")
            for watch in watches
            if watch.name in surprised
        )

    @property
    def estimate_watches(self) -> tuple[Watch, ...]:
        """The watches on estimated losses: of the metrics that have a loss watch, where there is a calibration."""
        if self.calibration is None and self.residuals is None:
            return ()
        return tuple(
            replace(loss, name=f"{ESTIMATED}{loss.name}", family="estimates", needs_label=False)
            for loss in self.task.loss_watches
            if loss.family == "performance"
        )

    @property
    def output_watches(self) -> tuple[Watch, ...]:
        """The watches on what the model answers."""
        return self.task.output_watches

    @property
    def joint_watch(self) -> Watch:
        """The watch on all inputs together, which is called after the embedding where there is one."""
        sees_embedding = self.feature_space is not None and self.feature_space.single.size > 0
        return joint.EMBEDDING_WATCH if sees_embedding else joint.WATCH

    @property
    def watches(self) -> dict[str, Watch]:
        """Every watch by its name."""
        calibration = self.calibration_watches
        watches = (
            *self.loss_watches,
            *self.ranks.watches,
            *self.material_watches,
            *(() if calibration is None else calibration.watches),
            *self.labels.watches,
            *self.estimate_watches,
            *self.integrity,
            *self.output_watches,
            *self.selection.watches,
            *(entry.watch for entry in self.inputs),
            *(() if self.feature_space is None else (self.joint_watch,)),
            *(() if self.coverage is None else self.coverage.watches),
        )
        return {watch.name: watch for watch in watches}

    @property
    def keys(self) -> tuple[WatchKey, ...]:
        """Every watch on the whole traffic, then the loss watches on each slice, then on each class."""
        whole = [WatchKey(watch=name) for name in self.watches]
        ranks = {f"{MATERIAL}{watch.name}" for watch in self.ranks.watches}
        sliced = (*self.loss_watches, *(watch for watch in self.material_watches if watch.name not in ranks))
        parts = [f"{column}={value}" for column, values in self.slices.items() for value in values]
        slices = [
            WatchKey(watch=watch.name, slice=part) for part in (*parts, *self.class_slices.names) for watch in sliced
        ]
        return (*whole, *slices)

    @property
    def groups(self) -> dict[str, str]:
        """The group of each watch that shares its weight with others: a family, an input's, or a loss of each class."""
        coverage = () if self.coverage is None else self.coverage.watches
        watches = (*self.loss_watches, *self.material_watches)
        of_classes = (watch.name for watch in watches if part_of(loss_of(watch.name)) is not None)
        ranks = {watch.name: "rank" for watch in self.ranks.watches}
        calibration = self.calibration_watches
        return {
            **{name: name.partition(":")[0] for name in of_classes},
            **ranks,
            **{f"{MATERIAL}{name}": f"{MATERIAL}rank" for name in ranks},
            **{watch.name: "calibration" for watch in (() if calibration is None else calibration.watches)},
            **{watch.name: "estimates" for watch in self.estimate_watches},
            **{watch.name: "integrity" for watch in self.integrity},
            **{watch.name: watch.name for watch in self.integrity if integrity.is_long_tailed(watch)},
            **{watch.name: "labelled" for watch in coverage},
            **dict.fromkeys(self.selection.names, "selection"),
            **dict.fromkeys(self.labels.names, "labels"),
            **{entry.watch.name: f"input:{entry.watch.feature}" for entry in self.inputs},
        }

    def prediction_sums(self, predictions: Predictions, window: Profile, *, power: int = 1) -> dict[WatchKey, ScoreSum]:
        """Sums of the watches that need no label, apart from the joint watch, which needs earlier windows.

        A row whose answer is not finite counts for its inputs alone.

        Args:
            power: The power of the scores to sum; squares give the sampling variance of a window's mean.
        """
        usable = predictions.take(np.asarray(np.isfinite(predictions.probabilities).all(axis=1), dtype=np.bool_))
        scores = self.task.outputs(usable.probabilities)
        named = {watch.name for watch in (*self.output_watches, *self.estimate_watches)}
        if self.calibration is not None:
            scores |= estimates.scores(self.calibration.expected_losses(usable.probabilities))
        for metric, loss in self.residual_losses(usable.probabilities, usable.features, usable.event_times).items():
            scores[f"{ESTIMATED}{metric}"] = loss
        answers = scoring.sums({name: values for name, values in scores.items() if name in named}, {}, power=power)
        answers |= self.selection.sums(usable, power=power)
        return answers | self.answer_sums(len(predictions), len(usable)) | self.count_sums(window, power=power)

    def answer_sums(self, rows: int, usable: int) -> dict[WatchKey, ScoreSum]:
        """The sum of the watch on unusable answers, of all `rows` and those with a usable one; none without answers."""
        return integrity.answer_sums(rows, usable) if integrity.ANSWERS in self.integrity else {}

    def count_sums(self, window: Profile, *, power: int = 1) -> dict[WatchKey, ScoreSum]:
        """Sums of the watches on inputs, from the profile's counts.

        Args:
            power: The power of the scores to sum; integrity scores are 0 or 1, so it does not matter for them.
        """
        return integrity.sums(self.bins, window) | inputs.sums(self.inputs, self.bins, window, power=power)

    def label_sums(self, predictions: Predictions, *, power: int = 1) -> dict[WatchKey, ScoreSum]:
        """Sums of the watches that need a label, over the labelled rows, on the whole traffic and on each slice."""
        labelled = predictions.take(labelled_rows(predictions))
        answers = labelled.probabilities
        expected = self.residual_losses(answers, labelled.features, labelled.event_times)
        scores = self.loss_scores(labelled, expected)
        masks = scoring.slice_masks(labelled, self.slices)
        masks |= self.class_slices.masks(labelled.probabilities, labelled.labels)
        calibrated, calibration = self.calibrated(answers), self.calibration_watches
        sums = scoring.sums(scores, masks, power=power)
        sums |= self.ranks.sums(answers, labelled.labels, calibrated, power=power)
        sums |= self.labels.sums(answers, labelled.labels, power=power)
        if calibration is not None:
            tally = calibration.tally(answers, labelled.labels, power=power)
            sums |= calibration.sums_of(len(labelled), tally)
        return self.with_material(sums)

    def with_material(self, sums: Mapping[WatchKey, ScoreSum]) -> dict[WatchKey, ScoreSum]:
        """Sums of watches with those of `material_watches`, which are the sums of their losses."""
        losses = {loss_of(watch.name) for watch in self.material_watches}
        rises = ((replace(key, watch=f"{MATERIAL}{key.watch}"), sums[key]) for key in sums if key.watch in losses)
        return {**sums, **dict(rises)}

    def calibrated(self, answers: Floats) -> Floats:
        """The probabilities that labels are expected to be drawn by, [n, width]: the model's, where nothing is known.

        Args:
            answers: Finite answers, [n, width].
        """
        return answers if self.calibration is None else self.calibration.calibrated(answers)

    def promised_losses(self, answers: Floats, outputs: Mapping[str, Floats], calibrated: Floats) -> dict[str, Floats]:
        """The losses to expect of rows if labels were drawn by calibrated probabilities.

        Args:
            answers: Finite answers, [n, width].

        Returns:
            By metric, in [0, 1], [n]; none where answers promise none.
        """
        if self.calibration is None:
            return self.task.expected_losses(answers, outputs)
        return {name: loss.losses for name, loss in self.calibration.losses_drawn_by(answers, calibrated).items()}

    def loss_scores(self, rows: Predictions, expected: Mapping[str, Floats]) -> dict[str, Floats]:
        """The scores of the watches on losses and surprise. Returns scores in [0, 1], [n], by the name of their watch.

        Args:
            rows: Labelled rows with finite answers, with the inputs that metrics of the user's own read.
        """
        answers = rows.probabilities
        losses = self.task.losses(answers, rows.labels)
        calibrated = self.calibrated(answers)
        promised = expected or self.promised_losses(answers, self.task.outputs(answers), calibrated)
        scores = losses | surprises(losses, promised)
        scores |= self.custom.scores(self.task, answers, rows.labels, rows.features, calibrated)
        return {watch.name: scores[watch.name] for watch in self.loss_watches}

    def residual_losses(
        self, answers: Floats, features: pa.Table, times: NDArray[np.int64] | None = None
    ) -> dict[str, Floats]:
        """The losses to expect of rows by the residual model, where there is one.

        Args:
            answers: Finite answers, [n, width].
            times: Event times of rows of the baseline, [n]; None for live rows.

        Returns:
            By metric, [n]; none where the answers promise their own, or too few labels are known.
        """
        if self.residuals is None:
            return {}
        return {
            metric: expected.losses for metric, expected in self.residuals.expected(answers, features, times).items()
        }


def _answer_watches(task: Task) -> tuple[Watch, ...]:
    """The watch on unusable answers, where the model's answers are known."""
    return (integrity.ANSWERS,) if task.output_watches or task.loss_watches else ()


def _calibration(task: Task, labelled: Predictions) -> Calibration | MultilabelCalibration | None:
    """The calibration of a classifier, fitted to labelled rows with usable answers."""
    if task.is_multilabel:
        return MultilabelCalibration.fit(task, labelled.probabilities, labelled.labels)
    if task.exclusive:
        return Calibration.fit(labelled.probabilities, labelled.labels, task.costs)
    return None


def _calibration_watches(
    task: Task, calibration: Calibration | MultilabelCalibration | None, probabilities: Floats
) -> CalibrationWatches | None:
    if calibration is None or not task.classes:
        return None
    return CalibrationWatches.fit(task, calibration, probabilities)


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
    of_losses: bool = False,
) -> Catalogue:
    """All watches for a baseline."""
    slices = _slice_values(baseline, slice_columns)
    reference = baseline.rows.answers
    is_labelled = labelled_rows(reference)
    enough = int(is_labelled.sum()) >= MIN_ROWS
    task = baseline.spec.task
    pairs = tuple(zip(baseline.bins, baseline.profile.features, strict=True))
    calibration = _calibration(task, reference.take(is_labelled)) if enough else None
    probabilities, labels = reference.probabilities[is_labelled], reference.labels[is_labelled]
    calibrated = probabilities if calibration is None else calibration.calibrated(probabilities)
    losses = Catalogue(
        task=task,
        calibration=calibration,
        residuals=ResidualModel.fit(baseline, is_labelled) if enough and task.metrics and not task.classes else None,
        bins=baseline.bins,
        slices=slices,
        inputs=(),
        integrity=(),
    )
    if of_losses:
        return losses
    return replace(
        losses,
        class_slices=ClassSlices.fit(class_slices, baseline.spec.classes, reference.labels, slice_columns),
        ranks=RankWatches.fit(baseline.spec.classes, probabilities, labels, calibrated)
        if baseline.spec.classes and baseline.spec.has_probabilities
        else RankWatches(),
        labels=LabelWatches.fit(task, reference.labels[is_labelled]),
        selection=SelectionGaps.of(task, {column: slices[column] for column in selection_groups}),
        answer_parts=answer_parts(task, reference.probabilities[np.isfinite(reference.probabilities).all(axis=1)]),
        calibration_watches=_calibration_watches(task, calibration, probabilities),
        sources={feature.name: feature.source for feature in baseline.spec.features if feature.source},
        inputs=tuple(entry for b, c in pairs for entry in inputs.watches(b, c)),
        integrity=(*_answer_watches(task), *(watch for b, c in pairs for watch in integrity.watches(b, c))),
        feature_space=_feature_space(baseline),
        coverage=CoverageGroups.fit(reference, task, slices)
        if baseline.spec.has_probabilities
        else CoverageGroups(task=task, edges=None, slices=slices),
    )
