"""Answers of the dashboard: pages, tables as files, and the ways back from a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, Final, get_args
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from monitoring.dashboard.view.rendering import render
from monitoring.dashboard.view.table import TableView, csv_text
from monitoring.errors import BadInput
from monitoring.records import ActionKind, IncidentAction
from monitoring.reports.csv_rows import Value

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
    """The action that a form asks for.

    Args:
        form: The fields: `by`, `note`, `owner`, `why`, `until`.

    Raises:
        BadInput: The end of a snooze is none of `SNOOZES`.
    """
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
