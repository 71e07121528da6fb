"""A deployment that nobody else judges, or gives another baseline, while its baseline is changed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from monitoring.config import MonitorConfig, load_config
from monitoring.errors import AnotherRun
from monitoring.jobs.deployment_lookup import look_up_deployment
from monitoring.store.lease import LEASE_SECONDS, Lease
from monitoring.store.store import Store


@contextmanager
def held_deployment(store: Store, path: Path, config: MonitorConfig, clock: Callable[[], datetime]) -> Iterator[Lease]:
    """Hold the lease of a config's deployment, as a run does: processes that share the store take turns.

    Where the store knows of none, nothing is held.

    Args:
        config: What it said when the change was asked for.

    Yields:
        The lease, to be renewed before each step that may take long, and before the first that changes anything.

    Raises:
        AnotherRun: A run is at work, or another new baseline is being made, or was made since the config was read.
    """
    number = look_up_deployment(config, store).number
    if number is None:
        yield Lease(owner="", renewal=lambda _: None, ending=lambda: None)
        return
    with store.leases.take(number, f"rebaseline-{uuid.uuid4().hex}", clock(), LEASE_SECONDS) as lease:
        check_unchanged(path, config)
        yield lease


def check_unchanged(path: Path, config: MonitorConfig) -> None:
    """Check that the baseline is still the one that the config had when it was read.

    Raises:
        AnotherRun: It was changed since.
    """
    if load_config(path).baseline != config.baseline:
        raise AnotherRun(
            "The deployment has another baseline since its config was read.",
            got=f"a changed [baseline] section in {path}",
            expected="the section that was read",
            fix="Nothing was changed; look at the deployment, and ask again.",
        )
