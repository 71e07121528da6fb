"""The rows of one fit, each kind for its purpose, and the checks that a recipe can be fitted on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitoring.errors import BadInput
from pitfalls_tf.fitting.recipe import Recipe
from pitfalls_tf.rows.examples import Examples


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FitRows:
    """What one fit is given.

    training    rows to learn from; those without a label are left out
    validation  rows that are scored after every epoch, and decide when to stop if the recipe stops early
    target      rows of the domain to adapt to; their labels are not used, except by fine-tuning
    """

    training: Examples
    validation: Examples | None = None
    target: Examples | None = None

    def check(self, recipe: Recipe) -> None:
        """Refuse rows that this recipe cannot be fitted on, before anything is compiled.

        Raises:
            BadInput: no labels, or of one class only; fewer rows than a batch; no target or validation rows where the
                recipe needs them; rows of different shapes.
        """
        _check_labels(self.training, recipe)
        _check_needs(self, recipe)
        for name, other in (("validation", self.validation), ("target", self.target)):
            if other is not None and other.inputs.shape[1:] != self.training.inputs.shape[1:]:
                raise BadInput(
                    f"The {name} rows have another shape than the training rows.",
                    got=str(other.inputs.shape[1:]),
                    expected=str(self.training.inputs.shape[1:]),
                    fix="Encode both with the encoding of the training rows.",
                )


def _check_labels(training: Examples, recipe: Recipe) -> None:
    labels = np.unique(training.targets[training.labelled])
    if len(labels) < 2:
        label_text = "none" if not len(labels) else f"only {training.classes[int(labels[0])]!r}"
        raise BadInput(
            "The training rows have fewer than two classes.",
            got=f"{len(training)} training rows, labels: {label_text}",
            expected=f"rows of at least two of: {', '.join(training.classes)}",
            fix="Train on rows with labels of several classes.",
        )
    count = int(training.labelled.sum())
    if count < recipe.batch:
        raise BadInput(
            "There are fewer training rows than a batch.",
            got=f"{count} rows with a label, batches of {recipe.batch}",
            expected="at least one full batch",
            fix="Lower the batch size, or train on more rows.",
        )


def _check_needs(rows: FitRows, recipe: Recipe) -> None:
    if rows.target is None and any(penalty.needs_target for penalty in recipe.penalties):
        raise BadInput(
            "This recipe adapts to a target domain.",
            got="no target rows",
            expected="rows of the domain to adapt to; their labels are not needed",
            fix="Pass target=.",
        )
    if recipe.stopping is not None and (rows.validation is None or not rows.validation.labelled.any()):
        raise BadInput(
            "Early stopping needs validation rows.",
            got="none with a label",
            expected="rows that no seed trains on",
            fix="Pass validation=, or leave out stopping.",
        )
