"""The heartbeat of a whole service: somebody outside is told that it lives, and that all that it runs is well."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from monitoring.config import HeartbeatSection
from monitoring.notifications.routes.heartbeat import Heartbeat
from monitoring.notifications.routes.post import post
from monitoring.notifications.routes.secret import read_secret_url

#: Seconds between two pings, and those that one may take.
EVERY_SECONDS = 60.0
_TIMEOUT = 5.0


@contextmanager
def service_heartbeat(
    url_file: Path | None,
    problem: Callable[[], str],
    stop: threading.Event,
    report: Callable[[str], None],
    *,
    every: float = EVERY_SECONDS,
) -> Iterator[None]:
    """Ping while the block runs: success where nothing is wrong, `fail` with the words where something is.

    Args:
        url_file: The file with the URL of the check; None: nobody is told.
        problem: What is wrong; empty: nothing.
        every: Seconds between two pings.

    Raises:
        BadInput: The file cannot be read, or holds no URL.
    """
    if url_file is None:
        yield
        return
    read_secret_url(url_file, None)
    beat = Heartbeat(HeartbeatSection(url_file=url_file), report, lambda request: post(request, timeout=_TIMEOUT))

    def pings() -> None:
        while not stop.wait(every):
            words = problem()
            beat.ping("fail" if words else "", words)

    thread = threading.Thread(target=pings, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(2 * _TIMEOUT)
