"""A verdict as a picture: A's gain over B with its interval, domain by domain and on the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitoring.errors import BadInput, CannotRun

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from monitoring.baseline.metrics import ConfidenceInterval
    from pitfalls_tf.verdicts.verdict import Verdict

SUFFIXES: Final = (".pdf", ".png", ".svg")
WHOLE: Final = "domains like these"
THESE: Final = "these domains"
# Told apart in grey too: shapes differ, and only the overall row is black.
INK: Final = {"overall": "#111111", "domain": "#5b6770"}


def check_picture(path: Path) -> None:
    """Raise BadInput unless a picture can be written in the form that the name's ending asks for."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(
            "A picture of another kind.",
            got=str(path),
            expected=f"a name ending in {', '.join(SUFFIXES)}",
            fix="For example --picture verdict.svg.",
        )


def draw_verdict(verdict: Verdict, path: Path) -> None:
    """Write the picture. Cost: about a second, most of it matplotlib's import.

    Raises:
        CannotRun: the file cannot be written.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - only when a picture is wanted

    rows: list[tuple[str, float, ConfidenceInterval]] = [
        (one.domain, one.gain, one.judgement.interval)
        for one in sorted(verdict.domains, key=lambda one: one.gain, reverse=True)
        if len(verdict.domains) > 1
    ]
    summaries = [(WHOLE if rows else verdict.domains[0].domain, verdict.gain, verdict.overall.interval)]
    if rows:
        summaries.insert(0, (THESE, verdict.gain, verdict.these_domains.interval))
    figure = Figure(figsize=(6.3, 1.5 + 0.24 * (len(rows) + len(summaries))), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(-verdict.smallest, verdict.smallest, color="#e3e6e8", linewidth=0, label="too small to matter")
    axes.axvline(0, color="#9aa3a9", linewidth=0.8)
    everything = [*rows, *summaries]
    for place, (name, gain, interval) in enumerate(everything):
        _row(axes, len(everything) - place, gain, interval, overall=name in {WHOLE, THESE} or not rows)
    axes.set_yticks(range(len(everything), 0, -1), [name for name, *_ in everything], fontsize=8)
    axes.set_ylim(0.3, len(everything) + 0.7)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel(f"gain in {verdict.metric.replace('_', ' ')} (right: {verdict.a.setup} is better)", fontsize=8)
    axes.set_title(
        f"{verdict.a.setup} against {verdict.b.setup}: {verdict.word}\n"
        f"{len(verdict.seeds)} seeds, 95 % intervals; grey: too small to matter",
        loc="left",
        fontsize=9,
    )
    try:
        figure.savefig(path, dpi=200)
    except OSError as error:
        raise CannotRun(
            "The picture cannot be written.",
            got=f"{path}: {error.strerror}",
            expected="a file in a folder of yours",
            fix="Name another with --picture.",
        ) from error


def _row(axes: Axes, height: int, gain: float, interval: ConfidenceInterval, *, overall: bool) -> None:
    ink = INK["overall" if overall else "domain"]
    axes.plot([interval.low, interval.high], [height, height], color=ink, linewidth=2.4 if overall else 1.2)
    axes.plot([gain], [height], marker="D" if overall else "o", color=ink, markersize=5 if overall else 4)
