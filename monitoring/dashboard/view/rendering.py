"""The templates of the pages: HTML in which every value is escaped."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from monitoring.dashboard.view.table import Cell
from monitoring.reports.charts.drawing import Drawing
from monitoring.watches.descriptions import printable

#: Files that are sent as they are, with their types.
STATIC = {
    "dashboard.css": "text/css; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "zone.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


#: What the pages share with the report: where it lies.
_SHARED = dict.fromkeys(("drawing.html.j2", "drawings.css"), ("monitoring.reports", "templates"))


def render(template: str, **values: Any) -> str:
    """A page."""
    return _environment().get_template(f"{template}.html.j2").render(**values)


@cache
def static_text(name: str) -> str:
    """The text of a file of `STATIC`; the style sheet begins with that of the drawings."""
    return (_text("static", "drawings.css") if name.endswith(".css") else "") + _text("static", name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: _text("templates", name)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["printable"] = printable
    environment.filters["cells"] = _cells
    environment.filters["coded"] = _coded
    environment.filters["number"] = lambda number: f"{number:,}"
    return environment


def _coded(text: str) -> Markup:
    """Text in which what stands between backticks is a command."""
    parts = (f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(escape(text).split("`")))
    return Markup("".join(parts))  # noqa: S704 - escaped above


def _cells(row: Sequence[Cell], numeric: Collection[int]) -> Markup:
    """The cells of a row, the first as its head, every value escaped; as a template it took ten times as long."""
    html = []
    for place, cell in enumerate(row):
        tag, scope = ("td", "") if place else ("th", ' scope="row"')
        classes = " ".join(word for word in (cell.style, "number" if place in numeric else "") if word)
        named = f' class="{escape(classes)}"' if classes else ""
        drawing = _svg(cell.drawing) if cell.drawing else ""
        html.append(f"<{tag}{scope}{named}>{drawing}{_content(cell)}</{tag}>")
    return Markup("".join(html))  # noqa: S704 - every value is escaped above


def _content(cell: Cell) -> str:
    """The text of a cell: where it leads to, or the moment that it is, which a script can write in another zone."""
    text = escape(cell.text)
    if cell.href:
        return f'<a href="{escape(cell.href)}">{text}</a>'
    if isinstance(cell.value, datetime) and cell.text:
        return f'<time datetime="{cell.value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}">{text}</time>'
    return text


def _svg(drawing: Drawing) -> Markup:
    module = _environment().get_template("drawing.html.j2").module
    return Markup(vars(module)["svg"](drawing))  # noqa: S704 - a macro's result, which has escaped its values


def _text(folder: str, name: str) -> str:
    package, folder = _SHARED.get(name, ("monitoring.dashboard", folder))
    return (files(package) / folder / name).read_text("utf-8").replace("\r\n", "\n")
