"""What the routes by HTTP send: a POST of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRequest:
    """A POST. `url`: where to; may hold secrets."""

    url: str = field(repr=False)
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def json_request(url: str, document: object, headers: Mapping[str, str] | None = None) -> RouteRequest:
    """A POST of a JSON document."""
    return RouteRequest(url=url, body=json.dumps(document).encode(), headers=headers or {})


def shortened(text: str, limit: int) -> str:
    """A text of at most so many characters; one that is cut ends with an ellipsis.

    >>> shortened("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
