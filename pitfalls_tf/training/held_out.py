"""The held-out rows of a run, put together from its fits, in the order of their source: predicted, scored, written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.metrics import Metrics, intervals, measure
from monitoring.errors import BadInput
from pitfalls_tf.fitting.fits import Fits
from pitfalls_tf.rows.folds import blocks_of
from pitfalls_tf.rows.reference_rows import reference_table
from pitfalls_tf.training.domain_metrics import by_domain
from pitfalls_tf.training.prepared_rows import PreparedRows
from pitfalls_tf.training.runs import Run

Floats = NDArray[np.float64]


class HeldOutRows:
    """Every row that a fit of a run scores, n of them; each is scored by one fit."""

    def __init__(self, prepared: PreparedRows, *, block_days: int) -> None:
        self._scored = [fit.scored for fit in prepared.fits]
        self._block_days = block_days
        positions = np.concatenate([fit.positions for fit in prepared.fits])
        self._order = np.argsort(positions, kind="stable")
        self._positions = positions[self._order]
        self._table = None if prepared.table is None else prepared.table.take(self._positions)
        self._targets = self._in_order([rows.targets for rows in self._scored])
        self._domains = self._in_order([rows.domains for rows in self._scored])
        self.classes = self._scored[0].classes
        if not self.labelled:
            raise BadInput(
                "There are no labels to score.",
                got=f"{len(self)} held-out rows, none with a label ({prepared.described})",
                expected="held-out rows with labels",
                fix="Hold out other rows.",
            )

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def labelled(self) -> int:
        """How many of the rows have a label; metrics are over these."""
        return int((self._targets >= 0).sum())

    @property
    def unlabelled_domains(self) -> tuple[str, ...]:
        """Domains without a label, of which there are no metrics."""
        return tuple(sorted({*self._domains.tolist()} - {*self._domains[self._targets >= 0].tolist()}))

    def predict(self, fits: Sequence[Fits]) -> Floats:
        """Probabilities of the rows. Returns float64 [n, classes]; NaN for rows of a fit that diverged."""
        parts = []
        for scored, fitted in zip(self._scored, fits, strict=True):
            missing = np.full((len(scored), len(self.classes)), np.nan)
            parts.append(missing if fitted.diverged else fitted.predict(scored.inputs).mean(axis=0))
        return self._in_order(parts)

    def score(self, seed: int, probabilities: Floats, folder: Path) -> Run:
        """The run's metrics over the labelled rows, with intervals from blocks of days; none if a fit diverged."""
        if not np.isfinite(probabilities).all():
            return Run(seed=seed, folder=folder, metrics=None, intervals={})
        labelled = self._targets >= 0
        blocks = np.arange(int(labelled.sum()))
        if self._table is not None:
            days = self._table.days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
            blocks = blocks_of(days[labelled], self._block_days)
        scored, targets = probabilities[labelled], self._targets[labelled]
        return Run(
            seed=seed,
            folder=folder,
            metrics=measure(scored, targets),
            intervals=intervals(scored, targets, blocks, np.random.default_rng([seed, 2])),
        )

    def score_domains(self, probabilities: Floats) -> dict[str, Metrics]:
        """The metrics of each domain that has labels."""
        return by_domain(probabilities, self._targets, self._domains.tolist())

    def table(self, probabilities: Floats) -> pa.Table:
        """The predictions as a run's folder holds them.

        Args:
            probabilities: float64 [n, classes].

        Returns:
            Columns `position` in the source, `domain`, `probabilities` list<double>, `label` (null where unknown); with
            folds also `fold`, the position of the fit that scored the row.
        """
        offsets = pa.array(np.arange(len(self) + 1, dtype=np.int32) * probabilities.shape[1])
        labels = np.array([*self.classes, None], dtype=object)[self._targets]
        columns = {
            "position": pa.array(self._positions),
            "domain": pa.array(self._domains.tolist(), pa.string()),
            "probabilities": pa.ListArray.from_arrays(offsets, pa.array(probabilities.reshape(-1))),
            "label": pa.array(labels.tolist(), pa.string()),
        }
        if len(self._scored) > 1:
            columns["fold"] = pa.array(self._in_order([np.full(len(rows), at) for at, rows in enumerate(self._scored)]))
        return pa.table(columns)

    def reference(self, probabilities: Floats) -> pa.Table | None:
        """The rows with these predictions, for a baseline; None for images, which have no times."""
        if self._table is None:
            return None
        return reference_table(self._table, probabilities.reshape(len(self), len(self.classes)))

    def _in_order(self, parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
        values: NDArray[Any] = np.concatenate(parts)[self._order]
        return values
