"""The style of the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitoring.baseline.metrics import ConfidenceInterval
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.spread import UNKNOWN

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure


def forest() -> Figure:
    """A figure with two estimates, one without an interval."""
    figure, axes = drawing.subplots(1, 1, height=1.0)
    drawing.forest_plot(axes[0, 0], [("a", 1.0, ConfidenceInterval(low=0.5, high=1.5)), ("b", 2.0, UNKNOWN)], zero=0.0)
    return figure


def test_axes_are_a_matrix_even_if_there_is_one() -> None:
    _, axes = drawing.subplots(1, 1, height=1.0)
    assert axes.shape == (1, 1)
    _, axes = drawing.subplots(2, 3, height=1.0)
    assert axes.shape == (2, 3)


def test_a_forest_plot_has_the_first_row_on_top() -> None:
    (axes,) = forest().axes
    heights = {text.get_text(): place for place, text in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)}
    assert heights["a"] > heights["b"]
    estimates = [np.asarray(line.get_xdata(), dtype=np.float64) for line in axes.lines if line.get_marker() == "o"]
    assert np.concatenate(estimates).tolist() == [1.0, 2.0]


def test_the_same_figure_gives_the_same_svg(tmp_path: Path) -> None:
    for name in ("one", "two"):
        drawing.save(forest, tmp_path, name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_every_colour_has_a_marker() -> None:
    assert len(set(drawing.COLOURS)) == len(set(drawing.MARKERS)) == len(drawing.COLOURS)
