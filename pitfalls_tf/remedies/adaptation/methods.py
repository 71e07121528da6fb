"""Adaptation and alignment as remedies, with the settings of their sources."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pitfalls_tf.remedies.adaptation import importance
from pitfalls_tf.remedies.adaptation.dann import ANNEALED, Dann
from pitfalls_tf.remedies.adaptation.fine_tuning import FineTuning
from pitfalls_tf.remedies.adaptation.mixup import Mixup
from pitfalls_tf.remedies.adaptation.mmd import Mmd
from pitfalls_tf.remedies.adaptation.self_training import SelfTraining
from pitfalls_tf.remedies.remedy import Remedy

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras

    from pitfalls_tf.fitting.fits import Fits
    from pitfalls_tf.fitting.recipe import Batch, BatchTransform, Outputs, Penalty, PostFitStep, Recipe
    from pitfalls_tf.remedies.remedy import Need, RemedyContext
    from pitfalls_tf.rows.examples import Shape

    Tensor = Any  # a tf.Tensor; TensorFlow has no types


# Source: Sun and Saenko, *Deep CORAL: Correlation Alignment for Deep Domain Adaptation* (ECCV workshops 2016). The
# paper takes the last layer's outputs; here it is the embedding, whose width does not depend on the number of
# classes.
@dataclass(frozen=True, slots=True, kw_only=True)
class Coral:
    """weight x |C - C'|² / (4 width²), squared Frobenius norm, averaged over pairs of domains.

    `domains` 0: between training rows and target rows; otherwise the number of source domains, between each other.
    """

    weight: float = 1.0
    domains: int = 0

    @property
    def needs_target(self) -> bool:
        """Whether the penalty is with a target rather than between source domains."""
        return not self.domains

    def head(self, shape: Shape, width: int) -> keras.Model | None:
        """None: there is no head."""
        del shape, width
        return None

    def __call__(
        self, source: Outputs, target: Outputs | None, *, head: keras.Model | None, progress: Tensor
    ) -> Tensor:
        """A scalar; domains with fewer than two rows in the batch are left out."""
        import tensorflow as tf  # noqa: PLC0415 - a recipe is read without it

        from pitfalls_tf.remedies.adaptation.populations import mean_over_pairs, populations  # noqa: PLC0415 - loads TensorFlow

        del head, progress
        embedding, member = populations(source, target, self.domains)
        counts = tf.reduce_sum(member, axis=0)
        means = tf.math.divide_no_nan(tf.matmul(member, embedding, transpose_a=True), counts[:, None])
        centred = embedding - tf.matmul(member, means)
        # The scatter matrix of each population about its own mean.
        scatter = tf.einsum("np,nw,nv->pwv", member, centred, centred)
        covariances = scatter / tf.maximum(counts - 1, 1.0)[:, None, None]
        width = float(embedding.shape[1])
        gaps = covariances[:, None] - covariances[None, :]
        distances = tf.reduce_sum(gaps**2, axis=(2, 3)) / (4 * width**2)
        return self.weight * mean_over_pairs(distances, counts, fewest=2.0)


# Source: Arjovsky et al., *Invariant Risk Minimization* (2019), in its practical form IRMv1.
@dataclass(frozen=True, slots=True, kw_only=True)
class Irm:
    """weight x the squared gradient of a domain's cross-entropy by a factor on the logits, at 1, averaged over domains.

    That gradient is mean(sum over classes of (p - y) x logit), so none has to be taken twice. Before the share
    `annealed` of the fit has passed the weight is 1, as in the authors' code, so that there is a representation first.
    `domains` is the number of source domains.
    """

    domains: int
    weight: float = 100.0
    annealed: float = 0.2

    @property
    def needs_target(self) -> bool:
        """False: it needs labelled domains only."""
        return False

    def head(self, shape: Shape, width: int) -> keras.Model | None:
        """None: there is no head."""
        del shape, width
        return None

    def __call__(
        self, source: Outputs, target: Outputs | None, *, head: keras.Model | None, progress: Tensor
    ) -> Tensor:
        """A scalar; rows without a label do not count."""
        import tensorflow as tf  # noqa: PLC0415 - a recipe is read without it

        del target, head
        labelled = tf.reduce_sum(source.truths, axis=1, keepdims=True)
        slopes = tf.reduce_sum((tf.nn.softmax(source.logits) * labelled - source.truths) * source.logits, axis=1)
        member = tf.one_hot(source.domains, self.domains) * labelled
        counts = tf.reduce_sum(member, axis=0)
        means = tf.math.divide_no_nan(tf.linalg.matvec(member, slopes, transpose_a=True), counts)
        there = tf.reduce_sum(tf.cast(counts > 0, tf.float32))
        weight = tf.where(progress < self.annealed, 1.0, self.weight)
        return weight * tf.math.divide_no_nan(tf.reduce_sum(means**2), there)


# Source: Sagawa et al., *Distributionally Robust Neural Networks for Group Shifts* (ICLR 2020, algorithm 1), with
# domains as groups.
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDro:
    """Sum over domains of share x mean loss; a share grows by exp(`step` x mean loss) with every batch (step .01)."""

    step: float = 0.01

    def initial(self, shape: Shape) -> Any:
        """Equal shares of the domains."""
        return np.full(shape.domains, 1 / shape.domains)

    def __call__(self, batch: Batch, losses: Tensor, logits: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Weights [b] by the new shares; a domain that the batch lacks has loss 0, as in the authors' code."""
        import tensorflow as tf  # noqa: PLC0415 - a recipe is read without it

        del logits
        member = tf.one_hot(batch.domains, int(memory.shape[0]))
        counts = tf.reduce_sum(member, axis=0)
        means = tf.math.divide_no_nan(tf.linalg.matvec(member, losses, transpose_a=True), counts)
        grown = memory * tf.exp(self.step * means)
        shares = grown / tf.reduce_sum(grown)
        each = tf.math.divide_no_nan(shares, counts) * tf.cast(tf.size(losses), tf.float32)
        return tf.linalg.matvec(member, each), shares


_TARGET: Final[tuple[Need, ...]] = ("target",)
_DOMAINS: Final[tuple[Need, ...]] = ("domains",)


def adapted_batch_norm(context: RemedyContext) -> Recipe:
    """The recipe with AdaBN after the fit."""
    from pitfalls_tf.remedies.adaptation.normalisation import AdaBn  # noqa: PLC0415 - loads TensorFlow

    return replace(context.recipe, post_fit=(*context.recipe.post_fit, AdaBn()))


def entropy_minimised(context: RemedyContext) -> Recipe:
    """The recipe with TENT after the fit."""
    from pitfalls_tf.remedies.adaptation.normalisation import Tent  # noqa: PLC0415 - loads TensorFlow

    return replace(context.recipe, post_fit=(*context.recipe.post_fit, Tent()))


def group_robust(context: RemedyContext) -> Recipe:
    """The recipe with GroupDRO over the training domains."""
    return replace(context.recipe, weighting=GroupDro())


def adversarial(context: RemedyContext) -> Recipe:
    """The recipe with DANN and its paper's optimiser: with another one it may not converge."""
    recipe = context.recipe
    return replace(recipe, penalties=(*recipe.penalties, Dann()), optimiser=ANNEALED)


def _penalised(penalty: Callable[[int], Penalty]) -> Callable[[RemedyContext], Recipe]:
    """With a penalty made for the number of training domains."""

    def change(context: RemedyContext) -> Recipe:
        recipe = context.recipe
        return replace(recipe, penalties=(*recipe.penalties, penalty(len(context.training.names))))

    return change


def _post_fit(step: PostFitStep[Fits]) -> Callable[[RemedyContext], Recipe]:
    def change(context: RemedyContext) -> Recipe:
        return replace(context.recipe, post_fit=(*context.recipe.post_fit, step))

    return change


def _prepared(transform: BatchTransform) -> Callable[[RemedyContext], Recipe]:
    def change(context: RemedyContext) -> Recipe:
        return replace(context.recipe, transforms=(*context.recipe.transforms, transform))

    return change


def _adaptation(
    name: str, source: str, change: Callable[[RemedyContext], Recipe], needs: tuple[Need, ...] = _TARGET
) -> Remedy:
    return Remedy(name=name, family="adaptation", source=source, needs=needs, change_recipe=change)


def _alignment(
    name: str, source: str, change: Callable[[RemedyContext], Recipe], needs: tuple[Need, ...] = _DOMAINS
) -> Remedy:
    return Remedy(name=name, family="alignment", source=source, needs=needs, change_recipe=change)


_CORAL = "Sun and Saenko, Deep CORAL, ECCV workshops 2016"
_MMD = "Long et al., Learning transferable features with deep adaptation networks, ICML 2015"
_DANN = "Ganin et al., Domain-adversarial training of neural networks, JMLR 2016"
_ZHANG = "Zhang et al., mixup: beyond empirical risk minimization, ICLR 2018"

ADAPTATIONS: Final = (
    _adaptation(
        "importance_weighting",
        "Bickel, Brückner and Scheffer, Discriminative learning for differing training and test distributions,"
        " ICML 2007",
        importance.weighted,
    ),
    _adaptation(
        "fine_tuning",
        "Yosinski et al., How transferable are features in deep neural networks?, NeurIPS 2014",
        _post_fit(FineTuning()),
    ),
    _adaptation(
        "adabn",
        "Li et al., Revisiting batch normalization for practical domain adaptation, ICLR workshop 2017",
        adapted_batch_norm,
        ("target", "batch normalisation"),
    ),
    _adaptation(
        "tent",
        "Wang et al., Tent: fully test-time adaptation by entropy minimization, ICLR 2021",
        entropy_minimised,
        ("target", "normalisation"),
    ),
    _adaptation("self_training", "Lee, Pseudo-label, ICML workshop 2013", _post_fit(SelfTraining())),
    _adaptation("coral", _CORAL, _penalised(lambda _: Coral())),
    _adaptation("mmd", _MMD, _penalised(lambda _: Mmd())),
    _adaptation("dann", _DANN, adversarial),
)
ALIGNMENTS: Final = (
    _alignment("coral_between_sources", _CORAL, _penalised(lambda domains: Coral(domains=domains))),
    _alignment("mmd_between_sources", _MMD, _penalised(lambda domains: Mmd(domains=domains))),
    _alignment("dann_between_sources", _DANN, _penalised(lambda domains: Dann(domains=domains))),
    _alignment(
        "group_dro", "Sagawa et al., Distributionally robust neural networks for group shifts, ICLR 2020", group_robust
    ),
    _alignment(
        "irm", "Arjovsky et al., Invariant risk minimization, 2019", _penalised(lambda domains: Irm(domains=domains))
    ),
    _alignment("mixup", _ZHANG, _prepared(Mixup()), ()),
    _alignment("mixup_within_domains", _ZHANG, _prepared(Mixup(partners="within"))),
    _alignment(
        "mixup_across_domains",
        "Yan et al., Improve unsupervised domain adaptation with mixup training, 2020",
        _prepared(Mixup(partners="across")),
    ),
)
