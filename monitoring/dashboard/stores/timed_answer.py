"""An answer that may not come: a function is asked in a thread of its own, and waited for so long."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

Value = TypeVar("Value")


class TimedAnswer(Generic[Value]):
    """Asks one question at a time: while an answer is out, those who ask wait for that one."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self._lock = Lock()
        self._out: tuple[Event, list[Value]] | None = None

    def ask(self, function: Callable[[], Value], seconds: float) -> Value | None:
        """Ask, and wait.

        Returns:
            The answer; None where it has not come. The thread goes on, and does not keep the process from ending.
        """
        with self._lock:
            out = self._out
            if out is None or out[0].is_set():
                out = self._out = (Event(), [])
                Thread(target=_answer, args=[function, *out], name="store", daemon=True).start()
        came, answers = out
        return answers[0] if came.wait(seconds) and answers else None


def _answer(function: Callable[[], Value], came: Event, answers: list[Value]) -> None:
    try:
        answers.append(function())
    finally:
        came.set()
