"""A single process has no peers: its list of models is its own, and so are its metrics."""

from __future__ import annotations

import asyncio
from typing import Any

from serving.models.list_in_force import ListInForce
from serving.server.peers import SingleProcess


def unused(*_: object) -> Any:
    raise AssertionError


def test_nothing_is_shared() -> None:
    alone = SingleProcess(ListInForce(generation=3))
    assert alone.merge_statistics is None
    assert (alone.is_shared, alone.merge_metrics, alone.store.newest()) == (False, None, ListInForce(generation=3))

    async def scene() -> None:
        async with alone.joined(unused, pages=unused, stop=unused):  # type: ignore[arg-type] # a reloader is not used
            pass

    asyncio.run(scene())
