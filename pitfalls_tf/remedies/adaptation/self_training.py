"""Self-training: the network's own confident predictions on target rows as labels.

Sources: Lee, *Pseudo-Label* (ICML workshop 2013); leaving out the least confident tenth, Kumar, Ma and Liang,
*Understanding Self-Training for Gradual Domain Adaptation* (ICML 2020).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from monitoring.errors import BadInput
from pitfalls_tf.remedies.adaptation.fine_tuning import continue_fits, second_fit_recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pitfalls_tf.fitting.fits import Fits, Member
    from pitfalls_tf.rows.examples import Examples


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTraining:
    """Continue training with the training rows and the most confident `share` of target rows, as predicted by the seed.

    Pseudo-labels are predicted again in each of `rounds`; a share rather than a threshold, because networks differ in
    calibration. True labels of the target are not used.
    """

    share: float = 0.9
    rounds: int = 2
    epochs: int = 2
    slower: float = 0.1

    def __call__(self, fits: Fits, training: Examples, target: Examples | None) -> Fits:
        """The same seeds, each with its epochs and these after them."""
        if target is None:
            raise BadInput("Self-training needs a target.", got="none", expected="unlabelled rows", fix="Pass target=.")
        recipe = second_fit_recipe(fits.recipe, epochs=self.epochs, slower=self.slower)
        for _ in range(self.rounds):
            predictions = iter(fits.predict(target.inputs))
            members: list[Member] = []
            for seed in fits.seeds:
                fit, probabilities = fits.of_seed(seed), next(predictions)
                if not fit.diverged:
                    fit = continue_fits(
                        fit, recipe, with_pseudo_labels(training, target, pseudo_labels(probabilities, self.share))
                    )
                members += fit.members
            fits = replace(fits, members=tuple(members))
        return fits


def pseudo_labels(probabilities: NDArray[np.float64], share: float) -> NDArray[np.int64]:
    """The likeliest class of the most confident rows. Returns int64 [n]; -1 for rows without a pseudo-label.

    Args:
        probabilities: float64 [n, classes].

    >>> pseudo_labels(np.array([[0.6, 0.4], [0.1, 0.9], [0.3, 0.7]]), 2 / 3).tolist()
    [-1, 1, 1]
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    labels: NDArray[np.int64] = probabilities.argmax(axis=1)
    labels[order[round(share * len(order)) :]] = -1
    return labels


def with_pseudo_labels(training: Examples, target: Examples, labels: NDArray[np.int64]) -> Examples:
    """Training rows followed by target rows with these labels."""
    return replace(
        training,
        inputs=np.concatenate([training.inputs, target.inputs]),
        targets=np.concatenate([training.targets, labels]),
        domains=np.concatenate([training.domains, target.domains]),
        times=np.concatenate([training.times, target.times]),
    )
