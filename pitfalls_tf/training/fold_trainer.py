"""One setup with its rows encoded, ready to fit any number of seeds."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from monitoring.baseline.metrics import intervals, measure, row_losses
from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.architectures import mlp
from pitfalls_tf.rows import feature_encoding
from pitfalls_tf.rows.folds import assign, blocks_of
from pitfalls_tf.rows.reference_rows import reference_table
from pitfalls_tf.training import deployed_model
from pitfalls_tf.training import runs as folders
from pitfalls_tf.training.domain_metrics import by_domain, write_domains
from pitfalls_tf.training.loop import Loop
from pitfalls_tf.training.runs import Run
from serving.export.manifest import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from pitfalls_tf.rows.table import Table
    from pitfalls_tf.training.named_setups import Setup

    Floats = NDArray[np.float64]
    Arrays = NDArray[np.float32]


class Trainer:
    """A setup and its rows. The first fit encodes them for every fold and compiles the loop, 2 to 3 s for 80,000 rows.

    Weights, dropout and the order of rows follow from the seed alone, so fits may come in any order, or in another
    process: with the same manifest, environment included, the weights are the same.

    Raises:
        BadInput: no row has a label, or there are too few days for the folds.
    """

    def __init__(self, setup: Setup, table: Table) -> None:
        self.setup = setup
        self.table = table
        self._targets = table.targets()
        self._labelled = self._targets >= 0
        if not self._labelled.any():
            raise BadInput(
                "There is nothing to learn from.",
                got=f"{len(table)} rows of {table.source}, none with a label",
                expected="rows with labels",
                fix="Train on another period.",
            )
        self._days = table.days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
        self._fold = assign(self._days, setup.folds)
        self._encoding = feature_encoding.fit(table.rows, table.features)
        self._layers = feature_encoding.layers(self._encoding)
        self._loop = Loop(self._core, setup.optimisation)

    def manifest(self, seed: int) -> dict[str, Any]:
        """Everything that makes this run what it is: with the same manifest, the same weights."""
        return {
            "setup": asdict(self.setup),
            "seed": seed,
            "classes": list(self.table.classes),
            "data": {"digest": self._digest, "rows": len(self.table), "labelled": int(self._labelled.sum())},
            "environment": asdict(environment()),
        }

    def check_same(self, folder: Path) -> None:
        """Another environment is allowed; another setup or other rows are not.

        Raises:
            BadInput: the run in `folder` was made with another setup or other rows.
        """
        self.check_manifest(folders.read_manifest(folder), folder)

    def check_manifest(self, kept: Mapping[str, Any], folder: Path) -> None:
        """The same of a manifest already read from `folder`, which the error names."""
        wanted = folders.as_written(self.manifest(int(kept["seed"])))
        different = [name for name in ("setup", "data") if kept.get(name) != wanted[name]]
        if different:
            raise BadInput(
                "A run was made otherwise.",
                got=f"{folder} with another {' and '.join(different)}",
                expected=f"runs of setup {self.setup.name} as it is now",
                fix="Name another folder with --out, or start over with --fresh.",
            )

    def run(self, seed: int, folder: Path, fitted: Callable[[str], None]) -> Run:
        """Fit every fold, score the held-out predictions, and write the run's folder in one rename."""
        probabilities = np.full((len(self.table), len(self.table.classes)), np.nan)
        history: list[dict[str, float]] = []
        for fold in range(self.setup.folds.count):
            held_out = self._fold == fold
            given, unseen = self._tensors[fold]
            for epoch in self._loop.fit(given, self._truths, self._training(fold), seed=_seed(seed, fold)):
                predicted = _softmax(self._loop.logits(unseen))
                history.append(
                    {"fold": fold, "epoch": epoch.number, "loss": epoch.loss, **self._scores(predicted, fold)}
                )
                probabilities[held_out] = predicted
            fitted(f"seed {seed}, fold {fold + 1} of {self.setup.folds.count}")
        run = self._judge(seed, folder, probabilities)
        with folders.aside(folder) as unfinished:
            pq.write_table(self._out_of_fold(probabilities), unfinished / folders.OUT_OF_FOLD)
            pq.write_table(pa.Table.from_pylist(history), unfinished / folders.HISTORY)
            if not run.diverged:
                write_domains(by_domain(probabilities, self._targets, self.table.domains.to_pylist()), unfinished)
            folders.write_run(run, self.manifest(seed), into=unfinished)
        return run

    def final(self, seed: int) -> keras.Model:
        """The model to deploy: one more fit with this seed on all days, behind the preprocessing.

        Raises:
            CannotRun: the fit diverged though those of the folds did not.
        """
        encoded, rows = tf.constant(self._encoded), np.flatnonzero(self._labelled)
        *_, last = self._loop.fit(encoded, self._truths, rows, seed=_seed(seed, self.setup.folds.count))
        if last.diverged:
            raise CannotRun(
                "The fit on all days diverged.",
                got=f"a loss that is no number, seed {seed}",
                expected="a finite loss",
                fix="Train more seeds, so that another is the median.",
            )
        return deployed_model.with_preprocessing(self._layers, self._loop.network())

    def reference(self, run: Run) -> pa.Table:
        """The reference table of a finished run's out-of-fold predictions."""
        flat = pq.read_table(run.folder / folders.OUT_OF_FOLD)["probabilities"].combine_chunks().flatten()
        return reference_table(self.table, np.asarray(flat, dtype=np.float64).reshape(len(self.table), -1))

    @cached_property
    def _digest(self) -> str:
        return self.table.digest()

    @cached_property
    def _truths(self) -> tf.Tensor:
        return tf.constant(self._targets)

    @cached_property
    def _encoded(self) -> Arrays:
        return feature_encoding.encode(self._layers, self._encoding, self.table.rows)

    @cached_property
    def _tensors(self) -> tuple[tuple[tf.Tensor, tf.Tensor], ...]:
        """Per fold, all rows encoded, and the held-out ones among them. For 80,000 rows of flights 55 MB a fold."""
        tensors = []
        for fold in range(self.setup.folds.count):
            encoded = self._encoded_for(fold)
            tensors.append((tf.constant(encoded), tf.constant(encoded[self._fold == fold])))
        return tuple(tensors)

    def _training(self, fold: int) -> NDArray[np.int64]:
        return np.flatnonzero((self._fold != fold) & self._labelled)

    def _encoded_for(self, fold: int) -> Arrays:
        """All rows as the fold's own preprocessing would encode them.

        Its numbers are standardised by its training rows alone; categories need no constants. What those rows never
        had, a category or a gap, is zeroed everywhere: its weights would be untrained.
        """
        training = self._training(fold)
        encoded = self._encoded.copy()
        refitted = self._encoding.refitted(self.table.rows.take(pa.array(training)))
        if refitted.numbers:
            numbers = feature_encoding.Encoding(numbers=refitted.numbers, categories=())
            encoded[:, : numbers.width] = feature_encoding.encode(
                feature_encoding.layers(numbers), numbers, self.table.rows
            )
        encoded *= encoded[training].any(axis=0)
        return encoded

    def _core(self, seed: int) -> keras.Model:
        return mlp.core(self._encoding.width, len(self.table.classes), self.setup.network, seed=seed)

    def _scores(self, predicted: Floats, fold: int) -> dict[str, float]:
        """Held-out Brier score and log-loss for the history; NaN once diverged."""
        inside = self._fold == fold
        known = self._labelled[inside]
        if not np.isfinite(predicted).all() or not known.any():
            return {"held_out_brier": float("nan"), "held_out_log_loss": float("nan")}
        losses = row_losses(predicted[known], self._targets[inside][known])
        return {f"held_out_{name}": float(losses[name].mean()) for name in ("brier", "log_loss")}

    def _judge(self, seed: int, folder: Path, probabilities: Floats) -> Run:
        """The run's record, from the out-of-fold predictions of its labelled rows."""
        if not np.isfinite(probabilities).all():
            return Run(seed=seed, folder=folder, metrics=None, intervals={})
        judged, targets = probabilities[self._labelled], self._targets[self._labelled]
        blocks = blocks_of(self._days[self._labelled], self.setup.folds.block_days)
        return Run(
            seed=seed,
            folder=folder,
            metrics=measure(judged, targets),
            intervals=intervals(judged, targets, blocks, np.random.default_rng([seed, 2])),
        )

    def _out_of_fold(self, probabilities: Floats) -> pa.Table:
        offsets = pa.array(np.arange(len(self.table) + 1, dtype=np.int32) * probabilities.shape[1])
        return pa.table(
            {
                "row_id": self.table.rows["row_id"],
                "event_time": self.table.rows["event_time"],
                "fold": pa.array(self._fold),
                "probabilities": pa.ListArray.from_arrays(offsets, pa.array(probabilities.reshape(-1))),
                "label": self.table.rows["label"],
            }
        )


def _seed(seed: int, fit: int) -> int:
    """A seed of its own for each fit of a run; folds must not share initial weights."""
    return int(np.random.SeedSequence([seed, fit]).generate_state(1)[0])


def _softmax(logits: Arrays) -> Floats:
    raised = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares
