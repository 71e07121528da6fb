"""Curated batches on clean and on noisy, diverse rows."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.figures import curation
from pitfalls_tf.experiments.grid_size import FIRST_FRESH
from pitfalls_tf.sources import digits, letters
from tests.pitfalls_tf.experiments.score_rows import score_row


def test_a_share_of_the_training_labels_is_wrong_and_the_scored_rows_are_clean() -> None:
    images = digits.load()
    clean, wrong = (curation.task(setting, images, "digits") for setting in (curation.SETTINGS[2], curation.HARD))
    assert float((clean.training.targets != wrong.training.targets).mean()) == curation.WRONG
    assert (clean.parts[0].examples.targets == wrong.parts[0].examples.targets).all()
    assert set(wrong.training.names) == set(curation.ORIGINS["digits"])


def test_curation_by_domain_needs_several_domains() -> None:
    cells = curation.grid((curation.CONTROLLED, curation.HARD), digits.load(), curation.base(quick=True))
    setups = {cell.setup for cell in cells}
    assert "noisy and diverse: domain_balanced" in setups
    assert "controlled: domain_balanced" not in setups


def test_the_best_controlled_curation_is_compared_between_settings() -> None:
    rows = []
    settings = (curation.CONTROLLED, 0.05), (curation.MISLABELLED, 0.1), (curation.HARD, -0.02), (curation.LARGE, -0.02)
    for setting, gain in settings:
        for name, error in ((curation.UNCURATED, 0.3), ("loss_curated", 0.3 - gain)):
            rows += [
                score_row(f"{setting.name}: {name}", "random", "all", seed, error + 1e-3 * seed, metric="error")
                | {"source": "digits"}
                for seed in range(4)
            ]
    found = curation.EXPERIMENT.findings(pa.Table.from_pylist(rows, schema=SCHEMA))
    assert [round(one.estimate, 6) for one in found[:3]] == [0.05, 0.07, 0.0]
    assert [one.verdict for one in found[:3]] == ["reproduced", "reproduced", "reproduced"]


def test_the_curation_that_gains_most_under_noise_is_compared_too_and_wrong_labels_cost_error() -> None:
    rows = []
    errors = {  # uncurated, loss curated, confidence curated
        curation.CONTROLLED: (0.1, 0.2, 0.1),
        curation.MISLABELLED: (0.3, 0.2, 0.25),
        curation.HARD: (0.3, 0.25, 0.3),
        curation.LARGE: (0.3, 0.2, 0.3),
    }
    for setting, of_setting in errors.items():
        for name, error in zip((curation.UNCURATED, "loss_curated", "confidence_curated"), of_setting, strict=True):
            rows += [
                score_row(f"{setting.name}: {name}", "random", "all", seed, error + 1e-3 * seed, metric="error")
                for seed in range(4)
            ]
    found = {one.claim.name: one for one in curation.EXPERIMENT.findings(pa.Table.from_pylist(rows, schema=SCHEMA))}
    assert round(found["label noise"].estimate, 6) == 0.2
    deteriorates, scales = found["chosen under noise, deteriorates"], found["chosen under noise, does not scale"]
    assert deteriorates.where == scales.where == "flights: loss curated"
    assert (round(deteriorates.estimate, 6), deteriorates.verdict) == (-0.15, "not reproduced")
    assert (round(scales.estimate, 6), scales.verdict) == (0.05, "not reproduced")


def test_fresh_runs_of_the_selected_curation_decide() -> None:
    """The first runs select loss_curated; its fresh runs gain nothing, and those of no other count."""
    rows = []
    for setting in (curation.CONTROLLED, curation.MISLABELLED, curation.HARD, curation.LARGE):
        for name, error in ((curation.UNCURATED, 0.3), ("loss_curated", 0.2), ("class_balanced", 0.29)):
            rows += [
                score_row(f"{setting.name}: {name}", "random", "all", seed, error + 1e-3 * seed, metric="error")
                for seed in range(4)
            ]
        rows += [
            score_row(f"{setting.name}: {name}", "random", "all", seed, 0.3 + 1e-5 * seed, metric="error")
            for name in (curation.UNCURATED, "loss_curated")
            for seed in range(FIRST_FRESH, FIRST_FRESH + 6)
        ]
    found = curation.EXPERIMENT.findings(pa.Table.from_pylist(rows, schema=SCHEMA))[:3]
    assert {one.where for one in found} == {"flights: loss curated"}
    assert [round(one.estimate, 6) for one in found] == [0.0, 0.0, 0.0]
    assert {one.seeds for one in found} == {6}


def test_origins_of_letters_are_kinds_of_typefaces() -> None:
    every = letters.load()
    images = replace(every.examples, domains=every.kinds)
    large = curation.task(curation.LARGE, images, "letters")
    assert large.training.names == tuple(sorted(curation.ORIGINS["letters"]))
    assert len(large.training) == curation.MANY
    pixels = {row.tobytes() for row in large.training.inputs}
    shared = sum(row.tobytes() in pixels for row in large.validation.inputs)
    assert shared < 0.05 * len(large.validation), "the few are alike in two families"
