"""What a request asks for: its place, its question, its times, and the fields of a form."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qs, unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.exceptions import HTTPException
from starlette.requests import Request

from monitoring.dashboard.views.candidates import Group, Question
from monitoring.dashboard.views.compare import BASELINE
from monitoring.dashboard.views.standing import STATES
from monitoring.dashboard.web.pages import WINDOW_CHOICES, WINDOWS_SHOWN, Pages

#: The form for the token has nothing else: far more than it needs. A note may be longer, and is percent-encoded.
MOST_FORM_BYTES = 4096
MOST_ACTION_BYTES = 65_536

#: The cookie by which a browser names the time zone of its reader.
ZONE_COOKIE: Final = "pitfalls_zone"

#: By what the overview may be grouped.
GROUPS: Final[dict[str, Group]] = {"model": "model", "team": "team"}


def question_of(request: Request) -> Question:
    """What a request asks of the overview; what makes no sense is left out."""
    asked = request.query_params
    state = asked.get("state", "")
    page = asked.get("page", "1")
    return Question(
        text=asked.get("q", "")[:100],
        state=state if state in STATES else "",
        page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
        group=GROUPS.get(asked.get("group", ""), ""),
        team=asked.get("team", "")[:200],
        tag=asked.get("tag", "")[:200],
        wall="wall" in asked,
    )


def windows_of(request: Request, otherwise: int = WINDOWS_SHOWN) -> int:
    """How many windows a request asks for, one of `WINDOW_CHOICES`; a number of them where it says nothing."""
    asked = request.query_params.get("windows", "")
    return next((one for one in WINDOW_CHOICES if str(one) == asked), otherwise)


def place_of(request: Request) -> tuple[str, int]:
    """The store and the number of the deployment that a request is about."""
    return request.path_params["source"], min(int(request.path_params["number"]), 2**31 - 1)


def shown_by(pages: Pages, request: Request) -> Pages:
    """The pages with times in the time zone of the reader, if a cookie names one that there is."""
    return replace(pages, shown_in=_zone(request.cookies.get(ZONE_COOKIE, "")[:100]))


@lru_cache(maxsize=256)
def _zone(name: str) -> str:
    """The name of a time zone; empty for what is none."""
    try:
        return ZoneInfo(unquote(name)).key if name else ""
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return ""


def incident_of(request: Request) -> int | None:
    """The incident that a request names with ``?incident=``; None for none."""
    asked = request.query_params.get("incident", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None


def start_of(request: Request) -> datetime:
    """When the window begins that a request is about."""
    return _moment(request.path_params["start"])


def sides_of(request: Request) -> tuple[datetime | str, datetime | str]:
    """What a request compares: when a window begins, the baseline, or nothing."""
    asked = (request.query_params.get(name, "") for name in ("a", "b"))
    a, b = (one if one in ("", BASELINE) else _moment(one) for one in asked)
    return a, b


def _moment(text: str) -> datetime:
    """A time of an address, in UTC unless it says otherwise."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise HTTPException(404) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


async def form_of(request: Request, most: int = MOST_FORM_BYTES) -> dict[str, str]:
    """The fields of a form of so many bytes at most; none for a request without a body."""
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    body = b""
    async for part in request.stream():
        body += part
        if body and not is_form:
            raise HTTPException(415)
        if len(body) > most:
            raise HTTPException(413)
    try:
        return {name: values[0] for name, values in parse_qs(body.decode("ascii")).items()}
    except (UnicodeDecodeError, ValueError):
        raise HTTPException(400) from None
