"""A POST with a deadline for all of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from monitoring.notifications.routes.request import RouteRequest

#: Seconds that one attempt may take in all, also where the receiver sends its response byte by byte.
TIMEOUT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a receiver answered. `retry_after`: seconds that it asks to wait; None where it does not say."""

    status: int
    retry_after: float | None = None


def post(request: RouteRequest, *, timeout: float = TIMEOUT) -> Answer:
    """POST a JSON body. Redirects are not followed, and the response's body is not read.

    A proxy from the environment is used for https only: plain http is for this machine and its network.

    Args:
        timeout: Seconds that connecting, sending and the response's head may take in all.

    Raises:
        ConnectionError: There was no response; the text does not contain the URL.
    """
    import asyncio  # noqa: PLC0415  # most runs notify nobody

    try:
        return asyncio.run(_post(request, timeout))
    except TimeoutError as error:
        raise ConnectionError(f"no response within {timeout:g} s") from error


async def _post(request: RouteRequest, timeout: float) -> Answer:  # noqa: ASYNC109 - of all steps together
    import asyncio  # noqa: PLC0415  # as above

    import httpx  # noqa: PLC0415  # takes a tenth of a second

    url = request.url
    headers = {"content-type": "application/json", "user-agent": "pitfalls-monitor", **request.headers}
    try:
        async with (
            asyncio.timeout(timeout),
            httpx.AsyncClient(timeout=timeout, trust_env=url.startswith("https:")) as client,
            client.stream("POST", url, content=request.body, headers=headers) as response,
        ):
            return Answer(status=response.status_code, retry_after=_seconds(response.headers.get("retry-after", "")))
    except httpx.TimeoutException as error:
        raise TimeoutError from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        if isinstance(error, TimeoutError):
            raise
        raise ConnectionError(reason_of(error)) from error


def reason_of(error: Exception) -> str:
    """Why there was no response: the operating system's text, never the library's, which may contain the URL."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionError) and cause.errno:  # asyncio has the address for a text
            return os.strerror(cause.errno)
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def _seconds(text: str) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date; None where it is neither."""
    if text.isascii() and text.isdigit():
        return float(text)

    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
