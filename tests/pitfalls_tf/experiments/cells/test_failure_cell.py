"""Predictions of every run on the same deployed rows."""

from __future__ import annotations

import numpy as np

from pitfalls_tf.experiments.cells.failure_cell import SCHEMA, FailureCell
from pitfalls_tf.fitting import ensemble
from tests.pitfalls_tf.experiments.small_experiment import DRY, TASK


def test_every_deployed_row_has_the_prediction_of_every_run() -> None:
    tables = FailureCell(setup="x", task=TASK, recipe=DRY).run([0, 1])
    fits = ensemble.fit(DRY, TASK.training, seeds=[0, 1])
    deployed = [part for part in TASK.parts if part.split == "deployed"]
    for seed, table in tables.items():
        assert table.schema == SCHEMA
        assert len(table) == sum(len(part.examples) for part in deployed)
        for part in deployed:
            rows = table.filter(np.array(table["domain"].to_pylist()) == part.domain)
            probabilities = fits.of_seed(seed).predict(part.examples.inputs)[0]
            names = np.array(part.examples.classes)
            assert rows["predicted"].to_pylist() == names[probabilities.argmax(axis=1)].tolist()
            assert rows["truth"].to_pylist() == names[part.examples.targets].tolist()
            assert np.allclose(rows["confidence"].to_numpy(), probabilities.max(axis=1))
            assert rows["row"].to_pylist() == list(range(len(part.examples)))
