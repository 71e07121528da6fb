from __future__ import annotations

import asyncio

import pytest
from starlette.exceptions import HTTPException

from monitoring.dashboard.view.endpoint import MOST_WAITING, Turns


def test_one_is_in_at_a_time_and_those_beyond_a_number_are_told_so() -> None:
    turns, inside, most = Turns(), 0, 0

    async def ask() -> int:
        nonlocal inside, most
        try:
            async with turns.turn():
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.001)
                inside -= 1
        except HTTPException as error:
            return error.status_code
        return 200

    async def many() -> list[int]:
        return await asyncio.gather(*(ask() for _ in range(MOST_WAITING + 5)))

    codes = asyncio.run(many())
    assert (most, codes.count(200), codes.count(503)) == (1, MOST_WAITING, 5)


def test_an_error_gives_the_turn_back() -> None:
    turns = Turns()

    async def fail() -> None:
        async with turns.turn():
            raise ZeroDivisionError

    async def twice() -> None:
        for _ in range(MOST_WAITING + 1):
            with pytest.raises(ZeroDivisionError):
                await fail()

    asyncio.run(twice())
