"""Every adaptation and alignment by name, through `ensemble.fit`, several seeds at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf import ensemble
from pitfalls_tf.architectures.dense import Mlp
from pitfalls_tf.remedies.catalogue import family, find
from tests.pitfalls_tf.small_examples import RECIPE, Traced, rows

TRAINING = rows(300, seed=1)
TARGET = replace(rows(120, seed=3, shift=1.0), domains=np.full(120, "west"))
NORMALISED = replace(RECIPE, architecture=Traced(hidden=(8, 4), norm="batch"), epochs=2)


# One of each way into a fit; the others cost as much again and have tests of their definitions.
QUICK = ("importance_weighting", "self_training", "dann", "irm", "mixup_across_domains")
SLOW = [
    pytest.param(remedy.name, marks=pytest.mark.slow)
    for remedy in (*family("adaptation"), *family("alignment"))
    if remedy.name not in QUICK
]


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_it_trains(name: str) -> None:
    remedy = find(name)
    recipe = remedy.applied(NORMALISED, TRAINING, TARGET)
    fits = ensemble.fit(recipe, TRAINING, seeds=(0, 1), target=TARGET if "target" in remedy.needs else None)
    plain = ensemble.fit(NORMALISED, TRAINING, seeds=(0, 1))
    assert not fits.diverged
    assert np.isfinite(fits.predict(TARGET.inputs)).all()
    assert (fits.predict(TARGET.inputs) != plain.predict(TARGET.inputs)).any(axis=(1, 2)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["importance_weighting", "coral", "mmd", "dann", "mmd_between_sources", "group_dro", "irm", "mixup_across_domains"],
)
def test_it_trains_under_xla_as_without(name: str) -> None:
    losses = []
    for architecture in (Traced(hidden=(8, 4), norm="batch"), Mlp(hidden=(8, 4), norm="batch")):
        recipe = find(name).applied(replace(NORMALISED, architecture=architecture), TRAINING, TARGET)
        losses.append(ensemble.fit(recipe, TRAINING, seeds=(0,), target=TARGET).history()["loss"].to_pylist())
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_without_what_it_needs_it_is_refused() -> None:
    bare = replace(NORMALISED, architecture=Traced(hidden=(8, 4)))
    with pytest.raises(BadInput, match=r"adabn is not for this recipe.*no normalisation.*batch normalisation"):
        find("adabn").applied(bare, TRAINING, TARGET)
    layers = replace(NORMALISED, architecture=Traced(hidden=(8, 4), norm="layer"))
    with pytest.raises(BadInput, match="LayerNormalization"):
        find("adabn").applied(layers, TRAINING, TARGET)
    assert find("tent").applied(layers, TRAINING, TARGET).afterwards
    with pytest.raises(BadInput, match="no target rows"):
        find("coral").applied(NORMALISED, TRAINING)
    with pytest.raises(BadInput, match="one domain, north"):
        find("irm").applied(NORMALISED, TRAINING.domain("north"))
