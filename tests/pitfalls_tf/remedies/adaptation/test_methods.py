"""Every adaptation and alignment by name, through `ensemble.fit`, several seeds at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tensorflow as tf

from monitoring.errors import BadInput
from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.fitting import ensemble
from pitfalls_tf.fitting.recipe import Batch, Outputs
from pitfalls_tf.remedies.adaptation.dann import ANNEALED
from pitfalls_tf.remedies.adaptation.methods import GroupDro, Irm
from pitfalls_tf.remedies.catalogue import family, find
from pitfalls_tf.rows.examples import Shape
from tests.pitfalls_tf.small_examples import RECIPE, Traced, rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pitfalls_tf.fitting.fits import Fits
    from pitfalls_tf.rows.examples import Examples

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
    recipe = remedy.apply(NORMALISED, TRAINING, TARGET)
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
        recipe = find(name).apply(replace(NORMALISED, architecture=architecture), TRAINING, TARGET)
        losses.append(ensemble.fit(recipe, TRAINING, seeds=(0,), target=TARGET).history()["loss"].to_pylist())
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_batches_are_normalised_as_they_are_predicted() -> None:
    """A network that is told both populations in every batch remembers the mean of both, and predicts with it."""
    plain = ensemble.fit(NORMALISED, TRAINING, seeds=(0,), target=TARGET)
    aligned = ensemble.fit(find("coral").apply(NORMALISED, TRAINING, TARGET), TRAINING, seeds=(0,), target=TARGET)

    def first_mean(fits: Fits, rows: Examples) -> NDArray[np.float64]:
        """Of the first layer's outputs over some rows, less what the normalisation takes for their mean, in its sd."""
        network = fits.model(0)
        norm = network.get_layer("norm_0")
        layer = network.get_layer("hidden_0")
        outputs = rows.inputs @ layer.get_weights()[0]
        _, _, mean, variance = norm.get_weights()
        gap: NDArray[np.float64] = np.abs(outputs.mean(axis=0) - mean) / np.sqrt(variance)
        return gap

    both = replace(
        TRAINING,
        inputs=np.concatenate([TRAINING.inputs[:120], TARGET.inputs]),
        targets=np.zeros(240, dtype=np.int64),
        domains=np.full(240, "both"),
        times=np.concatenate([TRAINING.times[:120], TARGET.times]),
    )
    assert first_mean(aligned, both).max() < first_mean(plain, both).max()
    assert first_mean(aligned, TRAINING).max() > first_mean(plain, TRAINING).max()


def test_the_adversary_descends_as_its_paper_does() -> None:
    recipe = find("dann").apply(NORMALISED, TRAINING, TARGET)
    assert recipe.optimiser == ANNEALED
    assert find("dann_between_sources").apply(NORMALISED, TRAINING).optimiser == NORMALISED.optimiser


def test_without_what_it_needs_it_is_refused() -> None:
    bare = replace(NORMALISED, architecture=Traced(hidden=(8, 4)))
    with pytest.raises(
        BadInput, match=r"adabn cannot be applied to this recipe.*no normalisation.*batch normalisation"
    ):
        find("adabn").apply(bare, TRAINING, TARGET)
    layers = replace(NORMALISED, architecture=Traced(hidden=(8, 4), norm="layer"))
    with pytest.raises(BadInput, match="LayerNormalization"):
        find("adabn").apply(layers, TRAINING, TARGET)
    assert find("tent").apply(layers, TRAINING, TARGET).post_fit
    with pytest.raises(BadInput, match="no target rows"):
        find("coral").apply(NORMALISED, TRAINING)
    with pytest.raises(BadInput, match="one domain, north"):
        find("irm").apply(NORMALISED, TRAINING.domain("north"))


def test_group_dro_gives_the_worst_domain_more_with_every_batch() -> None:
    shape = Shape(inputs=(1,), tokens=(1,), classes=2, domains=3)
    batch = Batch(inputs=None, truths=None, domains=tf.constant([0, 0, 2, 2, 2]))
    losses = tf.constant([1.0, 3.0, 4.0, 5.0, 6.0])
    robust = GroupDro(step=0.1)
    weights, shares = robust(batch, losses, None, tf.constant(robust.initial(shape), tf.float32))
    grown = np.exp([0.2, 0.0, 0.5]) / 3
    expected = grown / grown.sum()
    assert shares.numpy() == pytest.approx(expected, rel=1e-5)
    assert float(tf.reduce_mean(weights * losses)) == pytest.approx(expected @ [2, 0, 5], rel=1e-5)
    _, later = robust(batch, losses, None, shares)
    assert later.numpy()[2] > shares.numpy()[2] > shares.numpy()[1]


RANDOM = np.random.default_rng(3)
LOGITS = RANDOM.normal(size=(9, 3)).astype(np.float32)
TRUTHS = np.eye(3, dtype=np.float32)[RANDOM.integers(0, 3, 9)]
TRUTHS[4] = 0
DOMAINS = np.array([0, 0, 2, 2, 2, 0, 2, 0, 2])


def test_irm_is_the_squared_gradient_by_a_dummy_classifier() -> None:
    outputs = Outputs(
        logits=tf.constant(LOGITS), embedding=None, truths=tf.constant(TRUTHS), domains=tf.constant(DOMAINS, tf.int32)
    )
    expected = []
    for domain in (0, 2):
        taken = (domain == DOMAINS) & (TRUTHS.sum(1) > 0)
        factor = tf.Variable(1.0)
        with tf.GradientTape() as tape:
            losses = tf.nn.softmax_cross_entropy_with_logits(TRUTHS[taken], factor * LOGITS[taken])
            risk = tf.reduce_mean(losses)
        expected.append(float(tape.gradient(risk, factor)) ** 2)
    irm = Irm(domains=3, weight=50.0, annealed=0.2)
    late = irm(outputs, None, head=None, progress=tf.constant(0.5))
    assert float(late) == pytest.approx(50 * np.mean(expected), rel=1e-5)
    assert float(irm(outputs, None, head=None, progress=tf.constant(0.1))) == pytest.approx(np.mean(expected), rel=1e-5)
