"""The heartbeat: a service is told that what was due has been judged, and alarms when it is not told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from monitoring.config import HeartbeatSection
from monitoring.errors import AnotherRun, BadInput, PitfallsError
from monitoring.notifications.routes.post import Answer, post
from monitoring.notifications.routes.request import RouteRequest, shortened
from monitoring.notifications.routes.secret import read_secret_url

#: Seconds that one ping may take in all.
TIMEOUT = 5.0

_BODY = 500


class Heartbeat:
    """The pings of one run, as healthchecks.io has them. A ping that fails is reported, and stops nothing."""

    def __init__(
        self, section: HeartbeatSection, report: Callable[[str], None], send: Callable[[RouteRequest], Answer]
    ) -> None:
        self._section = section
        self._report = report
        self._send = send
        #: Whether the run judged all that was due; until then, its end is no success.
        self.complete = False
        #: What keeps the end of the run from being a success although all was judged; empty where nothing does.
        self.problem = ""

    def ping(self, signal: str, text: str = "") -> None:
        """Send one signal: `start`, `fail`, or none for success."""
        try:
            url = self._section.url or read_secret_url(self._section.url_file, self._section.url_env)
            if url is None:
                return
            body = shortened(" ".join(text.split()), _BODY).encode()
            headers = {"content-type": "text/plain; charset=utf-8"}
            status = self._send(RouteRequest(url=_of_signal(url, signal), body=body, headers=headers)).status
            problem = "" if 200 <= status < 300 else f"HTTP {status}"
        except (ConnectionError, BadInput) as error:
            problem = str(error).removesuffix(".")
        if problem:
            self._report(f"The heartbeat's ping failed: {problem}. Judging goes on.")


@contextmanager
def heartbeat(
    section: HeartbeatSection,
    report: Callable[[str], None],
    send: Callable[[RouteRequest], Answer] = lambda request: post(request, timeout=TIMEOUT),
) -> Iterator[Heartbeat]:
    """Ping for a run: its start, and then that it judged all that was due, or that it failed.

    A run that was stopped before it had judged all is neither, nor is one beside another that judges already. One that
    has judged all, and whose notifications did not reach everybody, has failed.

    Raises:
        AnotherRun: As the run raised it.
        PitfallsError: As the run raised it; any other exception is raised too.
    """
    beat = Heartbeat(section, report, send)
    beat.ping("start")
    try:
        yield beat
    except AnotherRun:
        raise
    except PitfallsError as error:
        beat.ping("fail", str(error))
        raise
    except Exception as error:
        beat.ping("fail", f"a defect: {type(error).__name__}")
        raise
    if beat.complete and beat.problem:
        beat.ping("fail", beat.problem)
    elif beat.complete:
        beat.ping("")


def unreached(notifications: int) -> str:
    """What a heartbeat says of notifications that did not reach everybody; empty where all did."""
    events = "1 notification" if notifications == 1 else f"{notifications} notifications"
    return f"All that was due is judged, and {events} did not reach everybody." if notifications else ""


def _of_signal(url: str, signal: str) -> str:
    """The URL of a signal: one more word of its path, before a query."""
    parts = urlsplit(url)
    path = f"{parts.path.rstrip('/')}/{signal}" if signal else parts.path
    return urlunsplit(parts._replace(path=path))
