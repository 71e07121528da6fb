"""One input by window, for a notebook: its value, its distance from the baseline, its evidence and its alarms."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from monitoring.errors import BadInput
from monitoring.records import MonitorStatus
from monitoring.reports.charts.drawing import Drawing
from monitoring.reports.charts.inputs import LAST_WINDOWS, effects_drawing, effects_of, movement
from monitoring.reports.charts.series import Band, Series, Size, series_drawing
from monitoring.reports.sections.inputs import Input, InputSeries, input_series, input_title, inputs_of, series_of
from monitoring.watches.descriptions import printable, watch_title

_VALUES = Size(width=760, height=150, fit="still")
_EFFECTS = Size(width=760, height=210, fit="still")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputPicture:
    """A picture of one input, or of each input that describes a column. A notebook shows it."""

    titles: tuple[str, ...]
    notes: tuple[str, ...]
    drawings: tuple[tuple[Drawing, Drawing], ...]

    @property
    def svg(self) -> tuple[str, ...]:
        """The drawings as SVG documents, two for each part."""
        return tuple(standalone(drawing) for pair in self.drawings for drawing in pair)

    def save(self, path: str | Path) -> Path:
        """Write it as a page of HTML that needs no other file."""
        target = Path(path)
        title = escape(self.titles[0])
        page = f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title>{self._repr_html_()}</html>"
        target.write_text(page, encoding="utf-8")
        return target

    def __repr__(self) -> str:
        return f"InputPicture({'; '.join(self.titles)})"

    def _repr_html_(self) -> str:
        parts = []
        for title, note, pair in zip(self.titles, self.notes, self.drawings, strict=True):
            images = "".join(
                f'<img style="max-width:100%" alt="{escape(drawing.summary)}" src="data:image/svg+xml;base64,'
                f'{base64.b64encode(standalone(drawing).encode()).decode()}"/><br/>'
                for drawing in pair
            )
            parts.append(f"<p><b>{escape(title)}</b>. {escape(note)}<br/>{images}</p>")
        return "".join(parts)


def input_picture(status: MonitorStatus, name: str) -> InputPicture:
    """Draw an input."""
    inputs = inputs_of(status.windows[-LAST_WINDOWS:], status.baseline, status.columns)
    matches = [watched_input for watched_input in inputs if name in (watched_input.name, watched_input.key)] or [
        watched_input for watched_input in inputs if watched_input.name.startswith(f"{name}.")
    ]
    scores = series_of(status.windows, matches)
    parts = [
        (watched_input, input_series(watched_input, scores))
        for watched_input in sorted(matches, key=lambda watched_input: watched_input.key)
    ]
    drawn = [(watched_input, series) for watched_input, series in parts if len(series.starts)]
    if not drawn:
        names = [watched_input.name or watched_input.key for watched_input in inputs]
        close = get_close_matches(name, names, n=1)
        raise BadInput(
            "No window has a score of this input." if matches else "There is no such input.",
            got=name,
            expected="judged windows with rows" if matches else f"one of {', '.join(sorted(names))[:300]}",
            fix=f"Did you mean {close[0]}?" if close and not matches else "Check the name; judge more windows.",
        )
    pictures = [_drawings(watched_input, series, status) for watched_input, series in drawn]
    return InputPicture(
        titles=tuple(printable(input_title(watched_input)) for watched_input, _ in drawn),
        notes=tuple(note for note, _ in pictures),
        drawings=tuple(pair for _, pair in pictures),
    )


def _drawings(watched_input: Input, series: InputSeries, status: MonitorStatus) -> tuple[str, tuple[Drawing, Drawing]]:
    zone = ZoneInfo(status.timezone)
    reach = (status.windows[0].start, status.windows[-1].end)
    effects = effects_of(watched_input, series, reach, status.incidents)
    strongest = watched_input.strongest
    values = [
        (window.start, score.value)
        for window in status.windows
        for score in window.scores
        if score.watch == strongest.watch and not score.slice and score.value is not None
    ]
    drawn = Series(
        watch=strongest.watch,
        title=watch_title(strongest.watch),
        times=tuple(start for start, _ in values),
        values=tuple(value for _, value in values),
        since=reach[0],
        until=reach[1],
        band=Band(mean=strongest.mean, deviation=strongest.deviation),
        pages=tuple(at for at, level in effects.alarms if level == "page"),
    )
    note = (
        f"{movement(watched_input, len(effects.alarms))} Above: {watch_title(strongest.watch)}, its mean of seven "
        "windows, and the baseline. Below: standard deviations from the baseline, and evidence; diamonds are alarms."
    )
    return note, (series_drawing(drawn, _VALUES, zone), effects_drawing(effects, _EFFECTS, zone))


def standalone(drawing: Drawing) -> str:
    """A drawing as a document of its own, with the style that the report's page has."""
    style = (files("monitoring.reports") / "templates" / "drawings.css").read_text(encoding="utf-8")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawing.width} {drawing.height}" '
        f'width="{drawing.width}" height="{drawing.height}"><title>{escape(drawing.summary)}</title>'
        f"<style>{escape(style, quote=False)} svg {{ font-family: system-ui, sans-serif; background: var(--paper); }}"
        f"</style>{_shapes(drawing)}</svg>"
    )


def _shapes(drawing: Drawing) -> str:
    paths: Sequence[str] = [f'<path class="{path.style}" d="{path.d}"/>' for path in drawing.paths]
    labels = [
        f'<text class="{label.style}" x="{label.x:.1f}" y="{label.y:.1f}" text-anchor="{label.anchor}">'
        f"{escape(label.text)}</text>"
        for label in drawing.labels
    ]
    return "".join((*paths, *labels))
