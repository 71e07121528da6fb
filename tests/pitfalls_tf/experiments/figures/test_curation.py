"""Curated batches on clean and on noisy, diverse rows."""

from __future__ import annotations

import pyarrow as pa

from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.figures import curation
from pitfalls_tf.sources import digits
from tests.pitfalls_tf.experiments.score_rows import score_row


def test_a_share_of_the_training_labels_is_wrong_and_the_scored_rows_are_clean() -> None:
    images = digits.load()
    clean, wrong = (curation.task(setting, images) for setting in (curation.SETTINGS[2], curation.HARD))
    assert float((clean.training.targets != wrong.training.targets).mean()) == curation.WRONG
    assert (clean.parts[0].examples.targets == wrong.parts[0].examples.targets).all()
    assert set(wrong.training.names) == set(curation.THREE)


def test_curation_by_domain_needs_several_domains() -> None:
    cells = curation.grid((curation.CONTROLLED, curation.HARD), digits.load(), curation.base(quick=True))
    setups = {cell.setup for cell in cells}
    assert "noisy and diverse: domain_balanced" in setups
    assert "controlled: domain_balanced" not in setups


def test_the_best_controlled_curation_is_compared_between_settings() -> None:
    rows = []
    for setting, gain in ((curation.CONTROLLED, 0.05), (curation.HARD, -0.02), (curation.LARGE, -0.02)):
        for name, error in ((curation.UNCURATED, 0.3), ("loss_curated", 0.3 - gain)):
            rows += [
                score_row(f"{setting.name}: {name}", "random", "all", seed, error + 1e-3 * seed, metric="error")
                | {"source": "digits"}
                for seed in range(4)
            ]
    found = curation.EXPERIMENT.findings(pa.Table.from_pylist(rows, schema=SCHEMA))
    assert [round(one.estimate, 6) for one in found] == [0.05, 0.07, 0.0]
    assert [one.verdict for one in found] == ["reproduced", "reproduced", "reproduced"]
