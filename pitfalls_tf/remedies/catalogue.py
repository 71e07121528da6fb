"""Every remedy by name. Importing this loads no framework.

Names joined by `+` are remedies one after the other: `find("gradient_clipping+weight_averaging")`. `Remedy.refusal`
says whether a recipe and its rows allow a remedy, and `Remedy.apply` raises if they do not.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import reduce
from types import MappingProxyType
from typing import Final

from monitoring.errors import BadInput
from pitfalls_tf.remedies.adaptation.methods import ADAPTATIONS, ALIGNMENTS
from pitfalls_tf.remedies.augmentation import AUGMENTATIONS
from pitfalls_tf.remedies.capacity import CAPACITIES
from pitfalls_tf.remedies.curation import CURATIONS
from pitfalls_tf.remedies.losses import LOSSES
from pitfalls_tf.remedies.preprocessing import PREPROCESSINGS
from pitfalls_tf.remedies.remedy import Family, Remedy, RemedyContext
from pitfalls_tf.remedies.stabilisers import STABILISERS

_ALL: Final = (
    *STABILISERS,
    *LOSSES,
    *CAPACITIES,
    *PREPROCESSINGS,
    *AUGMENTATIONS,
    *CURATIONS,
    *ADAPTATIONS,
    *ALIGNMENTS,
)
REMEDIES: Final[Mapping[str, Remedy]] = MappingProxyType({remedy.name: remedy for remedy in _ALL})


def find(name: str) -> Remedy:
    """Find a remedy.

    >>> find("focal").source
    'Lin et al., Focal loss for dense object detection, ICCV 2017'
    >>> find("gradient_clipping+weight_averaging").name
    'gradient_clipping+weight_averaging'
    """
    return reduce(lambda first, second: first.then(second), map(_remedy_named, name.split("+")))


def family(wanted: Family) -> tuple[Remedy, ...]:
    """The remedies of one family, in the order of their file.

    >>> [remedy.name for remedy in family("curation")][:2]
    ['loss_curated', 'hardest_curated']
    """
    return tuple(remedy for remedy in REMEDIES.values() if remedy.family == wanted)


def allowed(context: RemedyContext) -> tuple[Remedy, ...]:
    """The remedies that can be applied to a context. Cost: may build the network for each remedy."""
    return tuple(remedy for remedy in REMEDIES.values() if remedy.refusal(context) is None)


def _remedy_named(name: str) -> Remedy:
    if name in REMEDIES:
        return REMEDIES[name]
    near = difflib.get_close_matches(name, REMEDIES, n=1)
    raise BadInput(
        "No such remedy.",
        got=repr(name),
        expected=f"one of: {', '.join(REMEDIES)}",
        fix=f"Did you mean {near[0]}?" if near else "Choose one of those.",
    )
