"""The API's calls on the stores."""

from __future__ import annotations

import pytest

from monitoring.dashboard.api.calls import ApiCalls, NotFound
from monitoring.dashboard.sources import Source
from monitoring.dashboard.web.pages import Pages
from monitoring.errors import BadInput


def test_a_store_that_cannot_be_read_is_a_failure_and_the_others_are_listed(pages: Pages) -> None:
    away = Source(name="away", url="sqlite:////nowhere/at/all.db", files=())
    found = ApiCalls(sources=(*pages.sources, away), clock=pages.clock).deployments(100, "")
    assert [one.store for one in found.failures] == ["away"]
    assert {one.store for one in found.deployments} == {source.name for source in pages.sources}


def test_a_page_begins_after_one_that_is_named(pages: Pages) -> None:
    calls = ApiCalls(sources=pages.sources, clock=pages.clock)
    with pytest.raises(BadInput, match="not the end of a page"):
        calls.deployments(1, "shop/x")
    assert calls.deployments(1, "zzz/1").deployments == []
    with pytest.raises(NotFound):
        calls.incident("shop", 1, 99)
