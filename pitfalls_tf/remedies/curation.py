"""Curated batches: which rows of a batch are trained on, decided by loss, by confidence or by balance.

Each is a `RowWeighting` of `pitfalls_tf.fitting.recipe`: a row that is left out weighs 0, and the others weigh more, so
that the mean weight is 1. A person who curates by hand looks at every row of every batch; `cost` counts that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from pitfalls_tf.fitting.recipe import Batch
from pitfalls_tf.remedies.remedy import Remedy, RemedyContext

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pitfalls_tf.fitting.fits import Fits
    from pitfalls_tf.fitting.recipe import Recipe, RowWeighting
    from pitfalls_tf.rows.examples import Examples, Shape

    Tensor = Any  # a tf.Tensor; TensorFlow has no types

SECONDS_A_ROW: Final = 5.0  # an assumption: nothing here measures people


@dataclass(frozen=True, slots=True, kw_only=True)
class LossCuration:
    """Keeps the share of each batch with the smallest losses, or with the largest.

    Smallest: the rows whose labels are most likely right (Han et al., Co-teaching, NeurIPS 2018, its selection with one
    network). Largest: the hardest rows (Shrivastava et al., Online hard example mining, CVPR 2016). Rows whose loss
    equals that of the last kept row are kept too.
    """

    share: float = 0.8
    kept: Literal["smallest", "largest"] = "smallest"

    def initial(self, shape: Shape) -> Any:
        """No memory."""
        del shape
        return np.zeros(())

    def __call__(self, batch: Batch, losses: Tensor, logits: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Weights [b]."""
        import tensorflow as tf  # noqa: PLC0415 - a recipe is read without it

        del batch, logits
        count = tf.maximum(tf.cast(tf.math.round(self.share * tf.cast(tf.size(losses), tf.float32)), tf.int32), 1)
        ascending = tf.sort(losses)
        if self.kept == "smallest":
            mask = losses <= ascending[count - 1]
        else:
            mask = losses >= ascending[tf.size(losses) - count]
        return _of_mean_one(tf.cast(mask, tf.float32)), memory


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceCuration:
    """Leaves out rows that the network confidently predicts to be of another class (Northcutt et al., JAIR 2021).

    Confidently: its probability of that class is at least the average of that probability over rows with that label.
    The averages are moving ones, by `pace`; each starts at 1, so no row is left out before the network is confident.
    """

    pace: float = 0.1

    def initial(self, shape: Shape) -> Any:
        """The average self-confidence of each class."""
        return np.ones(shape.classes)

    def __call__(self, batch: Batch, losses: Tensor, logits: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Weights [b]."""
        import tensorflow as tf  # noqa: PLC0415 - as above

        del losses
        probabilities = tf.nn.softmax(logits)
        true_probability = tf.reduce_sum(probabilities * batch.truths, axis=1, keepdims=True)
        mislabelled = tf.reduce_any(
            (probabilities >= memory) & (probabilities > true_probability) & (batch.truths == 0), axis=1
        )
        counts = tf.reduce_sum(batch.truths, axis=0)
        means = tf.math.divide_no_nan(tf.reduce_sum(probabilities * batch.truths, axis=0), counts)
        updated = tf.where(counts > 0, (1 - self.pace) * memory + self.pace * means, memory)
        return _of_mean_one(tf.cast(~mislabelled, tf.float32)), updated


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceCuration:
    """Every class, domain, or class of each domain present in a batch counts equally, however many rows it has.

    King and Zeng, *Logistic Regression in Rare Events Data* (Political Analysis 2001), within each batch.
    """

    by: Literal["class", "domain", "both"] = "class"

    def initial(self, shape: Shape) -> Any:
        """Zeros of the number of domains, which a batch does not know."""
        return np.zeros(shape.domains)

    def __call__(self, batch: Batch, losses: Tensor, logits: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Weights [b]."""
        import tensorflow as tf  # noqa: PLC0415 - as above

        del losses, logits
        domains = tf.one_hot(batch.domains, int(memory.shape[0]))
        groups = {
            "class": batch.truths,
            "domain": domains,
            "both": tf.reshape(batch.truths[:, :, None] * domains[:, None, :], (tf.shape(batch.truths)[0], -1)),
        }[self.by]
        shares = tf.math.divide_no_nan(1.0, tf.reduce_sum(groups, axis=0))
        return _of_mean_one(tf.linalg.matvec(groups, shares)), memory


@dataclass(frozen=True, slots=True, kw_only=True)
class CurationCost:
    """The work of curating by hand: rows looked at, each one every time, and the hours it takes."""

    looked_at: int
    hours: float


def cost(recipe: Recipe, rows: int, *, seconds: float = SECONDS_A_ROW) -> CurationCost:
    """The work of curating every batch of one fit by hand. It grows with rows, epochs and refits.

    >>> from pitfalls_tf.architectures.mlp import Mlp
    >>> from pitfalls_tf.fitting.recipe import Recipe
    >>> cost(Recipe(architecture=Mlp(), epochs=2, batch=100), 3_650, seconds=5)
    CurationCost(looked_at=7200, hours=10.0)
    """
    looked_at = rows // recipe.batch * recipe.batch * recipe.epochs
    return CurationCost(looked_at=looked_at, hours=looked_at * seconds / 3600)


def left_out(weighting: RowWeighting, fits: Fits, training: Examples) -> NDArray[np.bool_]:
    """Which labelled rows each fitted seed would leave out if they were one batch.

    Returns:
        bool [seeds, labelled rows]; all False for a diverged seed.
    """
    import tensorflow as tf  # noqa: PLC0415 - as above

    from pitfalls_tf.fitting.ensemble import domain_numbers  # noqa: PLC0415 - loads TensorFlow

    rows = training.where(training.labelled)
    truths = np.eye(len(rows.classes), dtype=np.float32)[rows.targets]
    domains = tf.constant(domain_numbers(rows, training.names))
    batch = Batch(inputs=tf.constant(rows.inputs), truths=tf.constant(truths), domains=domains)
    mask: NDArray[np.bool_] = np.zeros((len(fits), len(rows)), dtype=np.bool_)
    for place, logits in enumerate(fits.logits(rows.inputs)):
        if fits.members[place].diverged:
            continue
        memory = tf.constant(weighting.initial(training.shape), tf.float32)
        if isinstance(weighting, ConfidenceCuration):
            _, memory = ConfidenceCuration(pace=1.0)(batch, None, tf.constant(logits), memory)
        losses = fits.recipe.loss(batch.truths, tf.constant(logits))
        weights, _ = weighting(batch, losses, tf.constant(logits), memory)
        mask[place] = weights.numpy() == 0
    return mask


def _of_mean_one(weights: Tensor) -> Tensor:
    import tensorflow as tf  # noqa: PLC0415 - as above

    return tf.math.divide_no_nan(weights, tf.reduce_mean(weights))


def _remedy(name: str, source: str, weighting: RowWeighting, *, domains: bool = False) -> Remedy:
    def change(context: RemedyContext) -> Recipe:
        return replace(context.recipe, weighting=weighting)

    return Remedy(
        name=name, family="curation", source=source, needs=("domains",) if domains else (), change_recipe=change
    )


CURATIONS: Final = (
    _remedy("loss_curated", "Han et al., Co-teaching, NeurIPS 2018", LossCuration()),
    _remedy(
        "hardest_curated",
        "Shrivastava, Gupta and Girshick, Training region-based object detectors with online hard example mining,"
        " CVPR 2016",
        LossCuration(kept="largest"),
    ),
    _remedy("confidence_curated", "Northcutt, Jiang and Chuang, Confident learning, JAIR 2021", ConfidenceCuration()),
    _remedy(
        "class_balanced",
        "King and Zeng, Logistic regression in rare events data, Political Analysis 2001",
        BalanceCuration(),
    ),
    _remedy("domain_balanced", "King and Zeng, as for class_balanced", BalanceCuration(by="domain"), domains=True),
)
