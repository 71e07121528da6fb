"""How a version's folder becomes a runner that is ready to answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from serving.runner import Runner, Threads
from serving.warmup import warm_up

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """What is done to every version before it answers."""

    warm_ups: int = 1
    """How often its warmup records are replayed; 0 leaves them out."""
    tags: tuple[str, ...] = ("serve",)
    """Of the graph within the SavedModel."""
    threads: Threads = field(default_factory=Threads)


def load_version(path: Path, loading: Loading | None = None) -> Runner:
    """A version's runner, warmed up. Raises `LoadFailed`."""
    how = loading or Loading()
    runner = Runner(path, tags=how.tags, threads=how.threads)
    is_warm = False
    try:
        for _ in range(how.warm_ups):
            warm_up(runner, path)
        is_warm = True
    finally:
        if not is_warm:
            runner.close()
    return runner
