"""A quantile is suggested where the errors have one sign, and not where a skewed label has a mean above its median."""

from __future__ import annotations

import re

import numpy as np
import pytest

from serving.export.outputs.quantiles import quantile_remark

RNG = np.random.default_rng(3)
SPREAD = RNG.normal(size=2000)


def suggested(answers: np.ndarray, labels: np.ndarray) -> float | None:
    found = re.search(r"--quantile ([0-9.]+)\.$", quantile_remark("y", answers, labels))
    return None if found is None else float(found[1])


@pytest.mark.parametrize("quantile", [0.05, 0.1, 0.25, 0.75, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("shape", ["normal", "skewed"])
def test_a_quantile_is_recognised(quantile: float, shape: str) -> None:
    centre = RNG.normal(size=SPREAD.size) * 5
    spread = SPREAD if shape == "normal" else np.exp(SPREAD / 2)
    assert suggested(centre + np.quantile(spread, quantile), centre + spread) == quantile


@pytest.mark.parametrize("shape", ["normal", "skewed", "very skewed"])
def test_means_and_medians_are_not(shape: str) -> None:
    spread = {"normal": SPREAD, "skewed": np.exp(SPREAD), "very skewed": np.exp(1.5 * SPREAD)}[shape]
    for answer in (spread.mean(), np.median(spread)):
        assert suggested(np.full(spread.size, answer), spread) is None


def test_a_little_bias_few_rows_and_missing_labels_say_nothing() -> None:
    assert suggested(SPREAD * 0 + 0.3, SPREAD) is None
    assert suggested(np.full(49, 9.0), SPREAD[:49]) is None
    assert suggested(np.full(60, 9.0), np.where(np.arange(60) < 49, SPREAD[:60], np.nan)) is None
    assert suggested(SPREAD, SPREAD) is None
    assert suggested(np.full(SPREAD.size, np.nan), SPREAD) is None
