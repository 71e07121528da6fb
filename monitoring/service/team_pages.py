"""New pages of teams, held until the deployments that are due are judged, and then told together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from monitoring.config import MonitorConfig, load_config
from monitoring.errors import PitfallsError
from monitoring.notifications.outbox import Notify, is_new_page, send_outbox
from monitoring.notifications.together import send_together
from monitoring.store.store import Store

#: A page waits so long for others of its team at most, while deployments are being judged.
LONGEST_WAIT = timedelta(minutes=10)


class TeamPages:
    """The pages that runs have left pending. For several threads.

    Nothing is lost where the process dies: what is pending in the store is sent by the deployment's next run.
    """

    def __init__(self, notify: Notify, clock: Callable[[], datetime], report: Callable[[str], None]) -> None:
        """Holds none."""
        self._notify, self._clock, self._report = notify, clock, report
        self._lock = Lock()
        self._held: dict[tuple[str, str], dict[int, MonitorConfig]] = {}
        self._since: datetime | None = None

    def add(self, config: MonitorConfig, store: Store, numbers: Iterable[int]) -> None:
        """Hold the new pages of a run that has ended, if its deployments are in a team and have any."""
        if config.fleet.page is None:
            return
        now = self._clock()
        new = [number for number in numbers if any(is_new_page(event, now) for event in store.outbox.pending(number))]
        if new:
            with self._lock:
                self._held.setdefault((config.store.url, config.fleet.team), {}).update(dict.fromkeys(new, config))
                self._since = self._since or now

    def send(self, *, busy: bool = False) -> int:
        """Send what is held; while runs are going on, only once a page has waited for `LONGEST_WAIT`."""
        with self._lock:
            if self._since is None or (busy and self._clock() - self._since < LONGEST_WAIT):
                return 0
            held, self._held, self._since = self._held, {}, None
        return sum(self._send(url, configs) for (url, _), configs in held.items())

    def _send(self, url: str, configs: dict[int, MonitorConfig]) -> int:
        try:
            with Store.open(url) as store:
                routes = {number: tuple(config.notify) for number, config in configs.items()}
                sent = send_together(store, routes, self._notify, self._clock)
                for number, config in configs.items():
                    send_outbox(config, store, number, self._notify, self._clock)
                return sent
        except PitfallsError as error:
            self._report(f"Pages of a team are not sent, and are sent by the next runs. {error}")
            return 0


def send_pages_of(
    runs: Iterable[tuple[Path, tuple[int, ...]]],
    notify: Notify,
    clock: Callable[[], datetime],
    report: Callable[[str], None],
) -> int:
    """Send the new pages that runs of some configs have left pending."""
    pages = TeamPages(notify, clock, report)
    for path, numbers in runs:
        config = load_config(path)
        with Store.open(config.store.url) as store:
            pages.add(config, store, numbers)
    return pages.send()
