"""The Slack route: a message of blocks to an incoming webhook."""

from __future__ import annotations

from typing import Any

from monitoring.notifications.digest import Message
from monitoring.notifications.routes.request import RouteRequest, json_request

_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

#: Slack's limits, in characters.
HEADER, SECTION, CONTEXT = 150, 3000, 2000


def slack_request(message: Message, *, url: str, link: str | None) -> RouteRequest:
    """The POST of a message."""
    facts = " · ".join(f"{name} {value}" for name, value in message.facts)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": escaped(message.headline, HEADER)}},
        {"type": "section", "text": _text(escaped(message.text, SECTION))},
        {"type": "context", "elements": [_text(escaped(facts, CONTEXT))]},
    ]
    if link is not None:
        blocks.append({"type": "section", "text": _text(f"<{escaped(link, CONTEXT)}|Dashboard>")})
    return json_request(url, {"text": escaped(message.headline, SECTION), "blocks": blocks})


def _text(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def escaped(text: str, limit: int) -> str:
    """Escape a text, so that no part of it is a mention or a link, and cut it to so many characters.

    Returns:
        The escaped text, never empty, as Slack refuses that.

    >>> escaped("<!channel> a & b", 100)
    '&lt;!channel&gt; a &amp; b'
    >>> escaped("a<b", 5)
    'a…'
    """
    letters = [_ESCAPED.get(letter, letter) for letter in text]
    if sum(map(len, letters)) <= limit:
        return "".join(letters) or "…"
    cut, length = "", 1
    for letter in letters:
        length += len(letter)
        if length > limit:
            break
        cut += letter
    return f"{cut}…"
