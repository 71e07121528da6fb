"""A verdict as a figure: the gain of A over B with its interval, by domain and overall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitoring.errors import BadInput, CannotRun

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from monitoring.baseline.metrics import ConfidenceInterval
    from pitfalls_tf.verdicts.verdict import Verdict

SUFFIXES: Final = (".pdf", ".png", ".svg")
SIMILAR_DOMAINS: Final = "domains like these"
THESE_DOMAINS: Final = "these domains"
# Distinct in grey too: markers differ, and only the overall rows are black.
INK: Final = {"overall": "#111111", "domain": "#5b6770"}


def check_picture(path: Path) -> None:
    """Check that the file's suffix names a format that can be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(
            "Unknown picture format.",
            got=str(path),
            expected=f"a file name ending in {', '.join(SUFFIXES)}",
            fix="For example --picture verdict.svg.",
        )


def draw_verdict(verdict: Verdict, path: Path) -> None:
    """Draw the verdict and write it to a file. Cost: about a second, most of it matplotlib's import."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only when a picture is wanted

    rows: list[tuple[str, float, ConfidenceInterval]] = [
        (domain.domain, domain.gain, domain.verdict.interval)
        for domain in sorted(verdict.domains, key=lambda domain: domain.gain, reverse=True)
        if len(verdict.domains) > 1
    ]
    summaries = [(SIMILAR_DOMAINS if rows else verdict.domains[0].domain, verdict.gain, verdict.overall.interval)]
    if rows:
        summaries.insert(0, (THESE_DOMAINS, verdict.gain, verdict.these_domains.interval))
    figure = Figure(figsize=(6.3, 1.5 + 0.24 * (len(rows) + len(summaries))), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(-verdict.smallest, verdict.smallest, color="#e3e6e8", linewidth=0, label="too small to matter")
    axes.axvline(0, color="#9aa3a9", linewidth=0.8)
    lines = [*rows, *summaries]
    for position, (name, gain, interval) in enumerate(lines):
        is_overall = name in {SIMILAR_DOMAINS, THESE_DOMAINS} or not rows
        _draw_line(axes, len(lines) - position, gain, interval, overall=is_overall)
    axes.set_yticks(range(len(lines), 0, -1), [name for name, *_ in lines], fontsize=8)
    axes.set_ylim(0.3, len(lines) + 0.7)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel(f"gain in {verdict.metric.replace('_', ' ')} (right: {verdict.a.setup} is better)", fontsize=8)
    axes.set_title(
        f"{verdict.a.setup} against {verdict.b.setup}: {verdict.outcome}\n"
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
            expected="a file in a writable folder",
            fix="Name another file with --picture.",
        ) from error


def _draw_line(axes: Axes, height: int, gain: float, interval: ConfidenceInterval, *, overall: bool) -> None:
    ink = INK["overall" if overall else "domain"]
    axes.plot([interval.low, interval.high], [height, height], color=ink, linewidth=2.4 if overall else 1.2)
    axes.plot([gain], [height], marker="D" if overall else "o", color=ink, markersize=5 if overall else 4)
