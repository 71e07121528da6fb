"""Adaptation and alignment as remedies, with the settings of their sources."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pitfalls_tf.remedies.adaptation import importance
from pitfalls_tf.remedies.adaptation.coral import Coral
from pitfalls_tf.remedies.adaptation.dann import ANNEALED, Dann
from pitfalls_tf.remedies.adaptation.fine_tuning import FineTuned
from pitfalls_tf.remedies.adaptation.group_dro import GroupDro
from pitfalls_tf.remedies.adaptation.irm import Irm
from pitfalls_tf.remedies.adaptation.mixup import Mixup
from pitfalls_tf.remedies.adaptation.mmd import Mmd
from pitfalls_tf.remedies.adaptation.self_training import SelfTrained
from pitfalls_tf.remedies.remedy import Remedy

if TYPE_CHECKING:
    from collections.abc import Callable

    from pitfalls_tf.fitting.fits import Fits
    from pitfalls_tf.fitting.recipe import Afterwards, Penalty, Preparation, Recipe
    from pitfalls_tf.remedies.remedy import Need, Situation

_TARGET: Final[tuple[Need, ...]] = ("target",)
_DOMAINS: Final[tuple[Need, ...]] = ("domains",)


def adapted_batch_norm(situation: Situation) -> Recipe:
    """AdaBN after the fit."""
    from pitfalls_tf.remedies.adaptation.normalisation import AdaBn  # noqa: PLC0415 - loads TensorFlow

    return replace(situation.recipe, afterwards=(*situation.recipe.afterwards, AdaBn()))


def entropy_minimised(situation: Situation) -> Recipe:
    """TENT after the fit."""
    from pitfalls_tf.remedies.adaptation.normalisation import Tent  # noqa: PLC0415 - loads TensorFlow

    return replace(situation.recipe, afterwards=(*situation.recipe.afterwards, Tent()))


def group_robust(situation: Situation) -> Recipe:
    """GroupDRO over the training domains."""
    return replace(situation.recipe, weighting=GroupDro())


def adversarial(situation: Situation) -> Recipe:
    """DANN against the target, descending as its paper does: with another optimiser it may not settle."""
    recipe = situation.recipe
    return replace(recipe, penalties=(*recipe.penalties, Dann()), optimiser=ANNEALED)


def _penalised(penalty: Callable[[int], Penalty]) -> Callable[[Situation], Recipe]:
    """With a penalty made for the number of training domains."""

    def change(situation: Situation) -> Recipe:
        recipe = situation.recipe
        return replace(recipe, penalties=(*recipe.penalties, penalty(len(situation.training.names))))

    return change


def _afterwards(step: Afterwards[Fits]) -> Callable[[Situation], Recipe]:
    def change(situation: Situation) -> Recipe:
        return replace(situation.recipe, afterwards=(*situation.recipe.afterwards, step))

    return change


def _prepared(preparation: Preparation) -> Callable[[Situation], Recipe]:
    def change(situation: Situation) -> Recipe:
        return replace(situation.recipe, preparations=(*situation.recipe.preparations, preparation))

    return change


def _adaptation(
    name: str, source: str, change: Callable[[Situation], Recipe], needs: tuple[Need, ...] = _TARGET
) -> Remedy:
    return Remedy(name=name, family="adaptation", source=source, needs=needs, change=change)


def _alignment(
    name: str, source: str, change: Callable[[Situation], Recipe], needs: tuple[Need, ...] = _DOMAINS
) -> Remedy:
    return Remedy(name=name, family="alignment", source=source, needs=needs, change=change)


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
        _afterwards(FineTuned()),
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
    _adaptation("self_training", "Lee, Pseudo-label, ICML workshop 2013", _afterwards(SelfTrained())),
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
