"""Answers of the dashboard: pages, tables as files, and the ways back from a form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any, Final, get_args
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from monitoring.dashboard.view.table import Cell, TableView, csv_text
from monitoring.errors import BadInput
from monitoring.records import ActionKind, IncidentAction
from monitoring.reports.charts.drawing import Drawing
from monitoring.reports.results_table import Value
from monitoring.watches.descriptions import printable

#: Who acts, where the form does not say.
NOBODY = "dashboard"

#: Ends of a snooze that the form offers: their values, their words, and how long they are; None: until worse.
SNOOZES: Final = (
    ("1h", "for 1 hour", timedelta(hours=1)),
    ("8h", "for 8 hours", timedelta(hours=8)),
    ("1d", "for 1 day", timedelta(days=1)),
    ("7d", "for 7 days", timedelta(days=7)),
    ("worse", "until it becomes worse", None),
    ("end", "no longer", timedelta(0)),
)

#: The field that has the text of an action.
_TEXTS: Final = {"note": "note", "assign": "owner", "close": "why", "reopen": "why"}

#: What a button of an incident does.
KINDS: Final[tuple[ActionKind, ...]] = tuple(kind for kind in get_args(ActionKind) if kind != "run")


def require_sure(form: Mapping[str, str]) -> None:
    """Refuse a form whose tick was not set. Raises BadInput then."""
    if form.get("sure") != "yes":
        raise BadInput(
            "It was not confirmed.", got="no tick", expected="the tick beside the button", fix="Set it, and send again."
        )


def action_of(kind: ActionKind, form: Mapping[str, str], now: datetime) -> IncidentAction:
    """The action that a form asks for."""
    text = form.get(_TEXTS.get(kind, ""), "").strip()
    until, until_worse = None, False
    if kind == "snooze":
        lengths = {value: length for value, _, length in SNOOZES}
        choice = form.get("until", "")
        if choice not in lengths:
            raise BadInput(
                "A snooze needs an end.", got=choice or "none", expected=", ".join(lengths), fix="Choose one of these."
            )
        length = lengths[choice]
        until, until_worse = (None, True) if length is None else (now + length, False)
    by = form.get("by", "").strip() or NOBODY
    return IncidentAction(at=now, by=by, kind=kind, text=text, until=until, until_worse=until_worse)


def parquet_bytes(table: TableView) -> bytes:
    """A table as a Parquet file: whole numbers, numbers, times in UTC, and else text; no column of drawings alone."""
    heads = [(place, head) for place, head in enumerate(table.columns) if head]
    columns = [_column([row[place].value for row in table.rows]) for place, _ in heads]
    file = BytesIO()
    pq.write_table(pa.table(columns, names=[head for _, head in heads]), file)
    return file.getvalue()


def _column(values: Sequence[Value]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int}:
        return pa.array(values, pa.int64())
    if kinds and kinds <= {int, float}:
        return pa.array([None if value is None else float(str(value)) for value in values], pa.float64())
    if kinds == {datetime}:
        return pa.array(values, pa.timestamp("us", tz="UTC"))
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Value) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


#: The cookie that keeps the name of who acts.
NAME_COOKIE = "pitfalls_name"


def page_answer(template: str, code: int = 200, *, headers: Mapping[str, str] | None = None, **values: Any) -> Response:
    """A page, by the name of its template and what that shows; `headers` are those that other pages do not have."""
    return HTMLResponse(render(template, **values), code, headers)


def led_to(path: str, request: Request, by: str) -> Response:
    """Leads a browser to a page, and keeps the name of who acted for the next time."""
    answer = RedirectResponse(path, 303)
    if by and by != NOBODY:
        secure = came_encrypted(request)
        answer.set_cookie(NAME_COOKIE, quote(by), httponly=True, samesite="lax", secure=secure)
    return answer


def came_encrypted(request: Request) -> bool:
    """Whether a browser sent a form by https: to the dashboard, or to a proxy, as the form's Origin says."""
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")


def table_answer(table: TableView, kind: str) -> Response:
    """A table as a file. Raises HTTPException for a kind that there is not."""
    name = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in table.name)
    headers = {"content-disposition": f'attachment; filename="{name}.{kind}"'}
    if kind == "csv":
        return PlainTextResponse(csv_text(table), headers=headers, media_type="text/csv; charset=utf-8")
    if kind == "parquet":
        return Response(parquet_bytes(table), headers=headers, media_type="application/vnd.apache.parquet")
    raise HTTPException(404)


def text_response(lines: Sequence[str], code: int) -> Response:
    """A page that says why there is no other one, in lines, of which the first is its title."""
    return HTMLResponse(render("failed", lines=lines, code=code), code)


async def failed(request: Request, error: Exception) -> Response:
    """A page for an error with what, got, expected and fix.

    Returns:
        404 for what is not there, 400 for an action that is refused, 503 where the store fails.
    """
    code = 503 if not isinstance(error, BadInput) else 400 if request.method == "POST" else 404
    return text_response(str(error).splitlines(), code)


async def refused(_request: Request, error: Exception) -> Response:
    """A page for a request that no other page answers; a detail of several lines says why."""
    if isinstance(error, HTTPException) and "\n" in error.detail:
        return text_response(error.detail.split("\n"), error.status_code)
    code = error.status_code if isinstance(error, HTTPException) else 500
    lines = ["There is no such page."] if code == 404 else [f"The request was refused ({code})."]
    return text_response(lines, code)


#: Files that are sent as they are, with their types.
STATIC = {
    "dashboard.css": "text/css; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "zone.js": "text/javascript; charset=utf-8",
    "label.js": "text/javascript; charset=utf-8",
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
    return (_file_text("static", "drawings.css") if name.endswith(".css") else "") + _file_text("static", name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: _file_text("templates", name)),
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


def _file_text(folder: str, name: str) -> str:
    package, folder = _SHARED.get(name, ("monitoring.dashboard", folder))
    return (files(package) / folder / name).read_text("utf-8").replace("\r\n", "\n")
