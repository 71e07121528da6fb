"""What a person does with an incident reaches the config's receivers at once, beside the request."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from monitoring.config import MonitorConfig
from monitoring.errors import PitfallsError
from monitoring.notifications.outbox import send_outbox
from monitoring.notifications.routes.sending import notify
from monitoring.store.leases import LEASE_SECONDS
from monitoring.store.store import Store

#: Seconds between two looks whether a run that holds the deployment's lease has ended.
PAUSE = 2.0

_logger = logging.getLogger(__name__)


def tell(config: MonitorConfig | None, store: Store, number: int, clock: Callable[[], datetime]) -> None:
    """Send what is pending of a deployment, in a thread of its own, as receivers may take their time.

    While a run holds the lease it is waited for: it may have sent for the last time already.

    Args:
        config: The deployment's config; None, as where it is not known here: the next run sends.
    """
    if config is not None and config.notify:
        threading.Thread(target=_send, args=(config, store, number, clock), daemon=True).start()


def _send(config: MonitorConfig, store: Store, number: int, clock: Callable[[], datetime]) -> None:
    until = time.monotonic() + 2 * LEASE_SECONDS
    try:
        while not send_outbox(config, store, number, notify, clock) and time.monotonic() < until:
            time.sleep(PAUSE)
    except PitfallsError as error:  # what is pending stays so, and shows; the next run sends it
        _logger.warning("Nobody was notified yet: %s", error)
