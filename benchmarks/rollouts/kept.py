"""Simulated rollouts that are stored as they finish, so that an interrupted benchmark resumes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peer_rounds import fingerprint

#: The code whose results are not mixed with those of other code.
SOURCES = ("monitoring/rollout", "monitoring/tasks", "benchmarks/rollouts")


class Kept:
    """Results by their name, in a file with one line for each."""

    def __init__(self, folder: Path) -> None:
        """Read what is there from this code."""
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"rollout-{fingerprint(sources=SOURCES)}.jsonl"
        text = self._path.read_text("utf-8") if self._path.exists() else ""
        whole = text[: text.rfind("\n") + 1]  # what was killed while it wrote has no end
        self._path.write_text(whole, "utf-8")
        self._results: dict[str, Any] = dict(map(json.loads, whole.splitlines()))

    def result(self, name: str, make: Callable[[], Any]) -> Any:
        """The result with a name, as JSON has it; it is made if it is not there."""
        if name not in self._results:
            line = json.dumps((name, make()))
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
            self._results[name] = json.loads(line)[1]
        return self._results[name]
