"""Which experiments there are. To add one, write its file and its row; nothing else has to know."""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING, Final

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pitfalls_tf.experiments.experiment import Experiment

# A name on the command line, and the modules beside this one whose `EXPERIMENT` it runs, in order.
FIGURES: Final[Mapping[str, tuple[str, ...]]] = {
    "figure1": ("figure1", "figure1_tuning"),
    "figure2": ("figure2",),
    "figure3": ("figure3",),
    "figure4": ("figure4",),
    "figure5": ("figure5",),
    "curation": ("curation",),
    "alternatives": ("alternatives",),
    "appendix": ("appendix",),
    "future": ("future",),
}
ALL: Final = "all"


def find(names: Sequence[str]) -> tuple[Experiment, ...]:
    """The experiments of these names, each once, in the order of the paper; `all` for every one.

    Raises:
        BadInput: there is no such figure; the message names the nearest.
    """
    for name in names:
        if name not in {*FIGURES, ALL}:
            near = difflib.get_close_matches(name, [*FIGURES, ALL], n=1)
            raise BadInput(
                "No such figure.",
                got=repr(name),
                expected=f"one of: {', '.join([*FIGURES, ALL])}",
                fix=f"Did you mean {near[0]}?" if near else "Choose one of those.",
            )
    wanted = [figure for figure in FIGURES if figure in names or ALL in names]
    modules = [module for figure in wanted for module in FIGURES[figure]]
    return tuple(importlib.import_module(f"pitfalls_tf.experiments.{module}").EXPERIMENT for module in modules)


def order() -> tuple[str, ...]:
    """Names of all experiments in the order of the paper, without loading them."""
    return tuple(module for modules in FIGURES.values() for module in modules)
