from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitoring.notifications.digest import Digest
from monitoring.notifications.routes.receivers import CONTEXT, HEADER, SECTION, escaped, slack_request
from tests.incident_words import worded
from tests.monitoring.notifications.receivers import DEPLOYMENT, OPENED, PAGE


def sent(message: Any, link: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(slack_request(message, url="https://hooks.slack.com/x", link=link).body)
    return found


def test_a_page_is_a_header_a_text_and_its_facts() -> None:
    document = sent(OPENED, "https://m/d/eu/4")
    header, text, context, link = document["blocks"]
    assert document["text"] == "flights-eu: page: Brier score above expectation at origin = EWR: the model is wrong"
    assert header == {"type": "header", "text": {"type": "plain_text", "text": document["text"]}}
    assert text["text"] == {"type": "mrkdwn", "text": "Brier rose by .063 — more than harmless."}
    assert "Incident 3, page, open" in context["elements"][0]["text"]
    assert link["text"]["text"] == "<https://m/d/eu/4|Dashboard>"
    assert len(sent(OPENED)["blocks"]) == 3


def test_a_slice_cannot_mention_a_channel() -> None:
    hostile = replace(PAGE, slice="<!channel>", diagnoses=worded("<@U1>", "<https://evil|look> & co"))
    text = slack_request(replace(OPENED, incident=hostile), url="https://h", link=None).body.decode()
    assert "<" not in text
    assert ">" not in text
    assert "&lt;!channel&gt;" in text


def test_long_texts_keep_to_the_limits() -> None:
    long = replace(PAGE, diagnoses=worded("&" * 5000, "<" * 5000), slice="x" * 5000)
    header, text, context = sent(replace(OPENED, incident=long))["blocks"]
    assert len(header["text"]["text"]) <= HEADER
    assert len(text["text"]["text"]) <= SECTION
    assert len(context["elements"][0]["text"]) <= CONTEXT


def test_a_digest_is_a_message_too() -> None:
    document = sent(Digest(event="e", events=9, incidents=(PAGE,), deployment=DEPLOYMENT))
    assert "3  page, open" in document["blocks"][1]["text"]["text"]


@given(st.text(alphabet="a&<>", max_size=40), st.integers(6, 40))
def test_an_escaped_text_is_never_cut_within_a_character(text: str, limit: int) -> None:
    found = escaped(text, limit)
    assert 0 < len(found) <= limit
    whole = found.removesuffix("…").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert text.startswith(whole)
