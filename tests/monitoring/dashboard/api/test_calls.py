"""The API's calls on the stores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring.dashboard.api.calls import ApiCalls, NotFound
from monitoring.dashboard.stores.named_store import NamedStore
from monitoring.dashboard.stores.stores import Stores
from monitoring.errors import BadInput


def test_a_store_that_cannot_be_read_is_a_failure_and_the_others_are_listed(stores: Stores) -> None:
    away = NamedStore(name="away", url="sqlite:////nowhere/at/all.db", files=())
    found = ApiCalls(stores=replace(stores, stores=(*stores.stores, away))).deployments(100, "")
    assert [one.store for one in found.failures] == ["away"]
    assert {one.store for one in found.deployments} == {source.name for source in stores.stores}


def test_a_page_begins_after_one_that_is_named(stores: Stores) -> None:
    calls = ApiCalls(stores=stores)
    with pytest.raises(BadInput, match="not the end of a page"):
        calls.deployments(1, "shop/x")
    assert calls.deployments(1, "zzz/1").deployments == []
    with pytest.raises(NotFound):
        calls.incident("shop", 1, 99)
