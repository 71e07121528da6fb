"""The catalogue of experiments. To add one, write its file in `figures` and its row here."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping, Sequence
from typing import Final

from monitoring.errors import BadInput
from pitfalls_tf.experiments.experiment import Experiment

# Name on the command line: modules of `figures` whose `EXPERIMENT` it runs, in order.
FIGURES: Final[Mapping[str, tuple[str, ...]]] = {
    "figure1": ("figure1", "figure1_tuning"),
    "figure2": ("figure2", "figure2_budget"),
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
    """Find experiments by name. Returns the experiments, each once, in the order of the paper."""
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
    return tuple(importlib.import_module(f"pitfalls_tf.experiments.figures.{module}").EXPERIMENT for module in modules)


def check_sources(sources: Sequence[str], experiments: Sequence[Experiment]) -> None:
    """Check that some experiment has each of the sources."""
    every = tuple(dict.fromkeys(source for experiment in experiments for source in experiment.sources))
    for source in sources:
        if source not in every:
            raise BadInput(
                "No such source.",
                got=repr(source),
                expected=f"one of: {', '.join(every)}",
                fix="Choose one of those, or leave --source out for all.",
            )


def paper_order() -> tuple[str, ...]:
    """Names of all experiments in the order of the paper, without importing them."""
    return tuple(module for modules in FIGURES.values() for module in modules)
