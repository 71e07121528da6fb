"""The list of models in force, in files that the supervisor and its workers share.

Workers change it under a lock of the file system, which the system releases when its owner dies. The supervisor, which
must not wait, only counts the SIGHUPs that it was sent.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, final

from monitoring.atomic import write_text
from serving.models.list_in_force import ListInForce, WaitForOthers
from serving.models.version_folders import ModelSource, source_of

LIST, LOCK, HANGUPS = "list.json", "list.lock", "hangups"


@final
class ListFile:
    """The list in force of several processes; implements `serving.models.list_in_force.ListStore`.

    Args:
        update_others: Begins to have the other processes take the newest list.
    """

    def __init__(self, folder: Path, update_others: Callable[[], WaitForOthers] = lambda: tuple) -> None:
        self._folder = folder
        self._update_others = update_others

    def newest(self) -> ListInForce:
        """The list in force."""
        document = json.loads((self._folder / LIST).read_bytes())
        return ListInForce(
            generation=document["generation"],
            sources=_sources(document["sources"]),
            last_read=_sources(document["last_read"]),
            hangups=document["hangups"],
            unloaded=tuple(document["unloaded"]),
            switched=document["switched"],
        )

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """While the block runs, no other thread or process changes the list, or begins to serve."""
        with (self._folder / LOCK).open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def put(self, in_force: ListInForce) -> None:
        """Put a list in force; within `exclusive` only."""
        write_text(self._folder / LIST, json.dumps(asdict(in_force), default=str), durable=False)

    def hangups(self) -> int:
        """How many SIGHUPs have come."""
        try:
            return int((self._folder / HANGUPS).read_bytes())
        except FileNotFoundError:
            return 0

    def count_hangup(self) -> None:
        """One more has come. For the supervisor alone."""
        write_text(self._folder / HANGUPS, str(self.hangups() + 1), durable=False)

    def update_others(self) -> WaitForOthers:
        """Have the other processes that serve take the newest list."""
        return self._update_others()


def _sources(listed: Sequence[dict[str, Any]] | None) -> tuple[ModelSource, ...] | None:
    if listed is None:
        return None
    return tuple(source_of(entry) for entry in listed)
