"""Starts the process that reads large bodies, and confines it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from serving.confinement.confinement import Needs, Support, confine_calls, confine_files
from serving.inference_v2 import infer_requests
from serving.rest import documents
from serving.transport.body_process import BodyProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def reading_bodies(support: Support | None) -> Iterator[BodyProcess | None]:
    """Have large bodies read by a process of its own until the block ends.

    Args:
        support: What the process gives up; None: nothing.

    Yields:
        The process; None where this one has threads, as in a test: it cannot be forked then.
    """
    if threading.active_count() > 1:
        yield None
        return
    readers = {"rest": documents.read_large, "infer": infer_requests.read_large}
    process = BodyProcess(readers, partial(_confine, support))
    try:
        yield process
    finally:
        process.close()


def _confine(support: Support | None) -> None:
    if support is not None:
        confine_files(Needs(), support)
        confine_calls(support)
