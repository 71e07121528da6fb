from __future__ import annotations

import asyncio
import time

from monitoring.dashboard.access.wrong_tokens import MOST_WAITING, WrongTokens


def test_wrong_tokens_are_answered_one_after_another_and_those_beyond_are_refused_at_once() -> None:
    lines = list[str]()
    wrong = WrongTokens(lines.append, delay_s=0.02)

    async def many() -> tuple[list[bool], float]:
        begin = time.monotonic()
        answers = await asyncio.gather(*(wrong.answered("192.0.2.7", "/sign-in\x1b") for _ in range(300)))
        return answers, time.monotonic() - begin

    answers, seconds = asyncio.run(many())
    assert (answers.count(True), wrong.count) == (MOST_WAITING, 300)
    assert seconds >= MOST_WAITING * 0.02
    assert len(lines) == MOST_WAITING
    assert lines[0].startswith("The dashboard got a wrong token from 192.0.2.7 for /sign-in")
    assert "\x1b" not in lines[0]
    assert asyncio.run(wrong.answered("192.0.2.7", "/"))
