"""Every watch of a deployment, and a window's sums for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import NO_LABEL, Predictions
from monitoring.baseline.profile import Bins, Profile, commonest
from monitoring.errors import BadInput
from monitoring.records import ScoreSum, Watch, WatchKey
from monitoring.watches import estimates, inputs, integrity, joint, labelled, outputs, performance, scoring, surprise
from monitoring.watches.calibration import FEWEST_ROWS, Calibration
from monitoring.watches.classes import ClassSlices
from monitoring.watches.embedding import EmbeddingSource, embedding_bins

#: Slices watched per column: its commonest values in the baseline.
MOST_SLICES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The watches of all families for one baseline, with the slices on which losses are watched as well."""

    classes: tuple[str, ...]
    bins: tuple[Bins, ...]
    slices: Mapping[str, tuple[str, ...]]
    inputs: tuple[inputs.InputWatch, ...]
    integrity: tuple[Watch, ...]
    scored: bool = True
    calibration: Calibration | None = None
    space: joint.FeatureSpace | None = None
    parts: labelled.CoverageGroups | None = None
    sight: EmbeddingSource | None = None
    class_slices: ClassSlices = field(default_factory=ClassSlices)

    @property
    def estimates(self) -> tuple[Watch, ...]:
        """The watches on losses without labels: those that are watched with labels, where there is a calibration."""
        metrics = {watch.name for watch in self.losses}
        known = () if self.calibration is None else estimates.WATCHES
        return tuple(watch for watch in known if watch.name.removeprefix(estimates.PREFIX) in metrics)

    @property
    def losses(self) -> tuple[Watch, ...]:
        """The watches on losses: of an answer without a probability, its error alone."""
        if self.scored:
            return (*performance.WATCHES, *surprise.WATCHES)
        return tuple(watch for watch in performance.WATCHES if watch.name == "error")

    @property
    def answers(self) -> tuple[Watch, ...]:
        """The watches on answers; one without a probability is always sure."""
        return tuple(w for w in outputs.watches(self.classes) if self.scored or w.name != "output:confidence")

    @property
    def watches(self) -> dict[str, Watch]:
        """Every watch by its name."""
        found = (
            *self.losses,
            *self.estimates,
            *self.integrity,
            *self.answers,
            *(entry.watch for entry in self.inputs),
            *(() if self.space is None else (joint.WATCH,)),
            *(() if self.parts is None else self.parts.watches),
        )
        return {watch.name: watch for watch in found}

    @property
    def keys(self) -> tuple[WatchKey, ...]:
        """Every watch on the whole traffic, then the loss watches on each slice, then on each class."""
        whole = [WatchKey(watch=name) for name in self.watches]
        parts = [
            WatchKey(watch=watch.name, slice=f"{column}={value}")
            for column, values in self.slices.items()
            for value in values
            for watch in self.losses
        ]
        classes = [WatchKey(watch=watch.name, slice=name) for name in self.class_slices.names for watch in self.losses]
        return (*whole, *parts, *classes)

    @property
    def groups(self) -> dict[str, str]:
        """The group of each watch that shares its portion: each family with one, and each input with one."""
        return {
            **{watch.name: "estimates" for watch in self.estimates},
            **{watch.name: "integrity" for watch in self.integrity},
            **{watch.name: "labelled" for watch in (() if self.parts is None else self.parts.watches)},
            **{entry.watch.name: f"input:{entry.watch.feature}" for entry in self.inputs},
        }

    def prediction_sums(self, predictions: Predictions, window: Profile, *, power: int = 1) -> dict[WatchKey, ScoreSum]:
        """Sums of the watches that need no label, but for the joint watch, which remembers earlier windows.

        A row whose answer is not a number counts for its inputs alone. Scores are summed to that power: their squares
        tell how much a window's mean varies by chance.
        """
        given = predictions.probabilities[np.isfinite(predictions.probabilities).all(axis=1)]
        scores = outputs.scores(given, self.classes)
        named = {watch.name for watch in self.answers}
        if self.calibration is not None:
            scores |= estimates.scores(given, self.calibration)
            named |= {watch.name for watch in self.estimates}
        answers = scoring.sums({name: values for name, values in scores.items() if name in named}, {}, power=power)
        unusable = integrity.answer_sums(len(predictions), len(given))
        return answers | unusable | self.count_sums(window, power=power)

    def count_sums(self, window: Profile, *, power: int = 1) -> dict[WatchKey, ScoreSum]:
        """Sums of the watches on inputs, out of the profile's counts; those of integrity are shares, to any power."""
        return integrity.sums(self.bins, window) | inputs.sums(self.inputs, self.bins, window, power=power)

    def label_sums(self, predictions: Predictions, *, power: int = 1) -> dict[WatchKey, ScoreSum]:
        """Sums of the watches that need a label, over the labelled rows, whole and by slice."""
        labelled = predictions.take(known_rows(predictions))
        losses = performance.scores(labelled.probabilities, labelled.labels)
        surprises = surprise.scores(labelled.probabilities, labelled.labels)
        named = {watch.name for watch in self.losses}
        scores = {name: values for name, values in (losses | surprises).items() if name in named}
        masks = scoring.slice_masks(labelled, self.slices)
        masks |= self.class_slices.masks(labelled.probabilities, labelled.labels)
        return scoring.sums(scores, masks, power=power)


def known_rows(predictions: Predictions) -> NDArray[np.bool_]:
    """Which rows, [n], have a label and an answer that is a number."""
    answered = np.isfinite(predictions.probabilities).all(axis=1)
    return np.asarray((predictions.labels != NO_LABEL) & answered, dtype=np.bool_)


def catalogue(baseline: Baseline, slice_columns: tuple[str, ...] = (), class_slices: tuple[str, ...] = ()) -> Catalogue:
    """All watches for a baseline; `slice_columns` are category inputs, `class_slices` of `classes.BY_CLASS`.

    Raises BadInput for a column that is no such input.
    """
    kinds = {feature.name: feature.kind for feature in baseline.spec.features}
    slices: dict[str, tuple[str, ...]] = {}
    for column in slice_columns:
        if kinds.get(column) != "category":
            raise BadInput(
                "Traffic can be sliced by a category input only.",
                got=f"slice column {column!r}",
                expected=f"one of {', '.join(name for name, kind in kinds.items() if kind == 'category') or '(none)'}",
                fix="Change --slices, or `slices` in the [traffic] section.",
            )
        words = baseline.rows.inputs([column])[column].combine_chunks()
        slices[column] = tuple(sorted(commonest(words, MOST_SLICES)))
    reference = baseline.rows.answers
    known = known_rows(reference)
    enough = int(known.sum()) >= FEWEST_ROWS
    unwatched, unwatched_counts = embedding_bins(baseline)
    pairs = tuple(zip(baseline.bins, baseline.profile.features, strict=True))
    return Catalogue(
        classes=baseline.spec.classes,
        class_slices=ClassSlices.fit(class_slices, baseline.spec.classes, reference.labels, slice_columns),
        scored=baseline.spec.scored,
        calibration=Calibration.fit(reference.probabilities[known], reference.labels[known]) if enough else None,
        bins=baseline.bins,
        slices=slices,
        inputs=tuple(entry for b, c in pairs for entry in inputs.watches(b, c)),
        integrity=(integrity.ANSWERS, *(watch for b, c in pairs for watch in integrity.watches(b, c))),
        space=joint.FeatureSpace.fit(
            (*unwatched, *baseline.bins),
            (*unwatched_counts, *baseline.profile.features),
            baseline.rows,
            unwatched=() if baseline.spec.embedding is None else baseline.spec.embedding.columns,
        ),
        parts=labelled.CoverageGroups.fit(reference, baseline.spec.classes, slices)
        if baseline.spec.scored
        else labelled.CoverageGroups(classes=baseline.spec.classes, edges=None, slices=slices),
    )
