"""What a request asks for: its place, its question, its times, and the fields of a form."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qs, unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request

from monitoring.dashboard.access.access import cookie_of
from monitoring.timestamps import parse_moment

#: The largest number of a deployment or an incident.
LARGEST: Final = 2**31 - 1


class NumberConvertor(Convertor[int]):
    """Numbers in an address: of a deployment, or of an incident; a longer one than there can be is no address."""

    regex = "[0-9]{1,10}"

    def convert(self, value: str) -> int:
        """The number, at most `LARGEST`."""
        return min(int(value), LARGEST)

    def to_string(self, value: int) -> str:
        """The number as an address has it."""
        return str(value)


register_url_convertor("count", NumberConvertor())

#: The address of a deployment's views: the name of its store, and its number there.
DEPLOYMENT: Final = "/d/{store}/{number:count}"

#: How many windows the views of a deployment may show, and how many they show first.
WINDOW_CHOICES: Final = (30, 90, 365, 1000)
WINDOWS_SHOWN: Final = 90

#: The form for the token has nothing else: far more than it needs. A note may be longer, and is percent-encoded.
MOST_FORM_BYTES = 4096
MOST_ACTION_BYTES = 65_536

#: The cookie by which a browser names the time zone of its reader.
ZONE_COOKIE: Final = "pitfalls_zone"


def text_of(request: Request) -> str:
    """The text that a request searches for, cut to a length that makes sense."""
    return request.query_params.get("q", "")[:100]


def page_number_of(request: Request) -> int:
    """Which page of a list a request asks for, from 1."""
    page = request.query_params.get("page", "1")
    return max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 7 else 1


def windows_of(request: Request, otherwise: int = WINDOWS_SHOWN) -> int:
    """How many windows a request asks for, one of `WINDOW_CHOICES`; a number of them where it says nothing."""
    text = request.query_params.get("windows", "")
    return next((choice for choice in WINDOW_CHOICES if str(choice) == text), otherwise)


def place_of(request: Request) -> tuple[str, int]:
    """The store and the number of the deployment that a request is about."""
    return request.path_params["store"], request.path_params["number"]


def zone_of(request: Request) -> str:
    """The time zone of the reader, if a cookie names one that there is; empty otherwise."""
    return _zone_named(cookie_of(request.headers, ZONE_COOKIE)[:100])


@lru_cache(maxsize=256)
def _zone_named(name: str) -> str:
    """The name of a time zone; empty for what is none."""
    try:
        return ZoneInfo(unquote(name)).key if name else ""
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return ""


def incident_of(request: Request) -> int | None:
    """The incident that a request names with ``?incident=``; None for none."""
    text = request.query_params.get("incident", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def start_of(request: Request) -> datetime:
    """When the window begins that a request is about."""
    return moment_of(request.path_params["start"])


def moment_of(text: str) -> datetime:
    """A time of an address, in UTC unless it says otherwise."""
    try:
        return parse_moment(text, UTC)
    except ValueError:
        raise HTTPException(404) from None


async def body_of(request: Request, most: int, code: int = 413) -> bytes:
    """The body of a request. Raises HTTPException with a code where it has more bytes than so many."""
    parts, size = list[bytes](), 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > most:
            raise HTTPException(code)
    return b"".join(parts)


async def form_of(request: Request, most: int = MOST_FORM_BYTES) -> dict[str, str]:
    """The fields of a form of so many bytes at most; none for a request without a body."""
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    body = await (body_of(request, most) if is_form else body_of(request, 0, 415))
    try:
        return {name: values[0] for name, values in parse_qs(body.decode("ascii")).items()}
    except (UnicodeDecodeError, ValueError):
        raise HTTPException(400) from None
