"""Held-out rows: each with the prediction of the fit that did not train on it, in the order of the source."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from monitoring.baseline.metrics import measure
from monitoring.errors import BadInput
from pitfalls_tf.fitting.fit_rows import FitRows
from pitfalls_tf.rows.examples import Examples
from pitfalls_tf.training.held_out import HeldOutRows
from pitfalls_tf.training.prepared_rows import PreparedFit, PreparedRows
from tests.pitfalls_tf.small_examples import rows

ALL = rows(60, seed=4)
POSITIONS = (np.arange(0, 60, 2), np.arange(1, 60, 2))


def prepared(examples: Examples = ALL) -> PreparedRows:
    """Two folds, of even and odd rows."""
    fits = tuple(
        PreparedFit(rows=FitRows(training=examples), scored=examples.take(one), positions=one) for one in POSITIONS
    )
    return PreparedRows(
        fits=fits, deployed=FitRows(training=examples), table=None, encoding=None, digest="d", described="two folds"
    )


def says(share: float, *, diverged: tuple[int, ...] = ()) -> Any:
    """Fits that give the second class a share, whatever the row."""
    return SimpleNamespace(
        diverged=diverged, predict=lambda inputs: np.tile([[[1 - share, share]]], (2, len(inputs), 1))
    )


def test_each_row_has_the_prediction_of_its_own_fold() -> None:
    held_out = HeldOutRows(prepared(), block_days=1)
    probabilities = held_out.predict([says(0.25), says(0.75)])
    assert probabilities[:, 1].tolist() == [0.25, 0.75] * 30
    table = held_out.table(probabilities)
    assert table.column_names == ["position", "domain", "probabilities", "label", "fold"]
    assert table["position"].to_pylist() == list(range(60))
    assert table["fold"].to_pylist() == [0, 1] * 30
    assert table["label"].null_count == 60 - held_out.labelled == 6
    assert held_out.reference(probabilities) is None


def test_metrics_are_over_labelled_rows_alone(tmp_path: Path) -> None:
    held_out = HeldOutRows(prepared(), block_days=1)
    probabilities = held_out.predict([says(0.25), says(0.75)])
    run = held_out.score(3, probabilities, tmp_path)
    labelled = ALL.labelled
    assert run.metrics == measure(probabilities[labelled], ALL.targets[labelled])
    assert run.metrics.rows == held_out.labelled == 54
    assert run.intervals["brier"].low <= run.metrics.brier <= run.intervals["brier"].high
    assert set(held_out.score_domains(probabilities)) == {"north", "south"}


def test_a_run_with_a_fold_that_diverged_has_no_metrics(tmp_path: Path) -> None:
    held_out = HeldOutRows(prepared(), block_days=1)
    probabilities = held_out.predict([says(0.25), says(0.75, diverged=(1,))])
    assert np.isnan(probabilities[1::2]).all()
    assert np.isfinite(probabilities[::2]).all()
    assert held_out.score(0, probabilities, tmp_path).diverged


def test_rows_without_labels_are_named_and_none_at_all_refused() -> None:
    targets = np.where(ALL.domains == "north", -1, ALL.targets)
    examples = Examples(
        inputs=ALL.inputs, targets=targets, domains=ALL.domains, times=ALL.times, classes=ALL.classes, tokens=ALL.tokens
    )
    assert HeldOutRows(prepared(examples), block_days=1).unlabelled_domains == ("north",)
    unknown = Examples(
        inputs=ALL.inputs, targets=np.full(60, -1), domains=ALL.domains, times=ALL.times, classes=ALL.classes
    )
    with pytest.raises(BadInput, match=r"no labels to score.*60 held-out rows.*two folds"):
        HeldOutRows(prepared(unknown), block_days=1)
