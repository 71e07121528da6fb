"""Remedies joined by `+`: every one of them must be there in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitoring.errors import BadInput
from pitfalls_tf.remedies import catalogue
from pitfalls_tf.remedies.remedy import same_recipe

if TYPE_CHECKING:
    from pitfalls_tf.remedies.remedy import Situation


def check_combination(names: str, situation: Situation) -> None:
    """Refuse remedies of which one leaves no trace, such as two losses: the later takes the earlier one's place.

    Args:
        names: such as "dropout+gradient_clipping".
        situation: the recipe before them, and the rows.

    Raises:
        BadInput: the recipe with all of them is that without one of them.
    """
    parts = names.split("+")
    if len(parts) == 1:
        return
    whole = catalogue.find(names).change(situation)
    for place, name in enumerate(parts):
        others = "+".join(parts[:place] + parts[place + 1 :])
        # Preprocessing and seed ensembling leave recipes alone.
        if catalogue.find(name).change is not same_recipe and catalogue.find(others).change(situation) == whole:
            raise BadInput(
                f"{name} leaves no trace here.",
                got=f"{names}, which is the same as {others}",
                expected="remedies that do not undo each other, or change what is there already",
                fix=f"Leave out {name}.",
            )
