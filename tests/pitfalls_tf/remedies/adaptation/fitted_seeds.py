"""Fitted seeds of a normalised network to adapt, and what differs between two of their members."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from pitfalls_tf.fitting import ensemble
from tests.pitfalls_tf.small_examples import RECIPE, Traced, rows

if TYPE_CHECKING:
    from pitfalls_tf.fitting.fits import Fits, Member

TRAINING, TARGET = rows(300, seed=1), rows(200, seed=3, shift=1.0)
BLIND = replace(TARGET, targets=np.full(len(TARGET), -1))
NORMALISED = replace(RECIPE, architecture=Traced(hidden=(8, 4), dropout=0.2, norm="batch"))


@cache
def fitted() -> Fits:
    """Seeds 4 and 5."""
    return ensemble.fit(NORMALISED, TRAINING, seeds=(4, 5))


def changed(fits: Fits, before: Member, after: Member) -> set[str]:
    """The kinds of variables that differ."""
    network = fits.program.network
    variables = (*network.trainable_variables, *network.non_trainable_variables)
    pairs = zip(variables, (*before.weights, *before.state), (*after.weights, *after.state), strict=True)
    return {variable.name for variable, old, new in pairs if (np.asarray(old) != np.asarray(new)).any()}
