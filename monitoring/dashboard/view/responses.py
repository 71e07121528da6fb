"""Answers of the dashboard: pages, tables as files, and the ways back from a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from monitoring.dashboard.view.action_form import NOBODY
from monitoring.dashboard.view.parquet import parquet_bytes
from monitoring.dashboard.view.rendering import render
from monitoring.dashboard.view.table import TableView, csv_text
from monitoring.errors import BadInput

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


def said(lines: Sequence[str], code: int) -> Response:
    """A page that says why there is no other one, in lines, of which the first is its title."""
    return HTMLResponse(render("failed", lines=lines, code=code), code)


async def failed(request: Request, error: Exception) -> Response:
    """A page for an error with what, got, expected and fix.

    Args:
        error: The error.

    Returns:
        404 for what is not there, 400 for an action that is refused, 503 where the store fails.
    """
    code = 503 if not isinstance(error, BadInput) else 400 if request.method == "POST" else 404
    return said(str(error).splitlines(), code)


async def refused(_request: Request, error: Exception) -> Response:
    """A page for a request that no other page answers; a detail of several lines says why."""
    if isinstance(error, HTTPException) and "\n" in error.detail:
        return said(error.detail.split("\n"), error.status_code)
    code = error.status_code if isinstance(error, HTTPException) else 500
    lines = ["There is no such page."] if code == 404 else [f"The request was refused ({code})."]
    return said(lines, code)
