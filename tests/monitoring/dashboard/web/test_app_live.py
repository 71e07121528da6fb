from __future__ import annotations

import asyncio
from collections.abc import Iterator

from monitoring.dashboard.web.app import Changes


def test_open_pages_are_told_of_a_change_and_one_look_serves_all() -> None:
    looks: Iterator[str] = iter(["a", "a", "b", *["b"] * 1000])
    counted = []

    def look() -> str:
        counted.append(1)
        return next(looks)

    async def told() -> list[str]:
        changes = Changes(look, seconds=0.01)
        first, second = changes.events(alive=10.0), changes.events(alive=10.0)
        opening = [await anext(first), await anext(second)]
        watched = [changes.watched]
        events = await asyncio.gather(anext(first), anext(second))
        await first.aclose()  # type: ignore[attr-defined]  # an async generator
        watched.append(changes.watched)
        await second.aclose()  # type: ignore[attr-defined]  # an async generator
        watched.append(changes.watched)
        assert watched == [True, True, False]
        return [*opening, *events]

    found = asyncio.run(told())
    assert found[:2] == ["retry: 5000\n\n"] * 2
    assert found[2:] == ["event: changed\ndata: 1\n\n"] * 2
    assert len(counted) == 3


def test_a_silent_connection_is_kept_alive() -> None:
    async def told() -> str:
        events = Changes(lambda: "a", seconds=10.0).events(alive=0.01)
        await anext(events)
        found = await anext(events)
        await events.aclose()  # type: ignore[attr-defined]  # an async generator
        return found

    assert asyncio.run(told()) == ": alive\n\n"
