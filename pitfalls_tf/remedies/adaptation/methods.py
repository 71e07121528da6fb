"""Adaptation and alignment as remedies, with the settings of their sources."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pitfalls_tf.remedies.adaptation import importance
from pitfalls_tf.remedies.adaptation.coral import Coral
from pitfalls_tf.remedies.adaptation.dann import ANNEALED, Dann
from pitfalls_tf.remedies.adaptation.fine_tuning import FineTuning
from pitfalls_tf.remedies.adaptation.group_dro import GroupDro
from pitfalls_tf.remedies.adaptation.irm import Irm
from pitfalls_tf.remedies.adaptation.mixup import Mixup
from pitfalls_tf.remedies.adaptation.mmd import Mmd
from pitfalls_tf.remedies.adaptation.self_training import SelfTraining
from pitfalls_tf.remedies.remedy import Remedy

if TYPE_CHECKING:
    from collections.abc import Callable

    from pitfalls_tf.fitting.fits import Fits
    from pitfalls_tf.fitting.recipe import BatchTransform, Penalty, PostFitStep, Recipe
    from pitfalls_tf.remedies.remedy import Need, RemedyContext

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
        "group_dro",
        "Sagawa et al., Distributionally robust neural networks for group shifts, ICLR 2020",
        group_robust,
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
