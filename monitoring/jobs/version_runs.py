"""The versions of a model in turn: each that answers the traffic is judged, and one that does no longer is closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TypeVar

from monitoring.config import MonitorConfig
from monitoring.errors import AnotherRun, PitfallsError
from monitoring.jobs.places import published_versions, with_version
from monitoring.jobs.versions import ServingVersions, versions_to_judge
from monitoring.notifications.outbox import Notify, send_outbox
from monitoring.records import IncidentAction
from monitoring.store.deployments import DeploymentRecord
from monitoring.store.store import Store

#: By whom the incidents of a version are closed that has stopped serving.
MONITOR = "the monitor"

Result = TypeVar("Result")


@contextmanager
def recorded(config: MonitorConfig, store: Store, clock: Callable[[], datetime]) -> Iterator[None]:
    """Record how a run of a config ends, whether or not it has a deployment yet."""
    try:
        yield
    except AnotherRun:
        raise
    except Exception as error:
        with suppress(PitfallsError):  # where the store is away too, the first error is the one to tell
            store.monitors.ended(config.name, clock(), error=str(error) or type(error).__name__)
        raise
    store.monitors.ended(config.name, clock())


def judge_versions(
    config: MonitorConfig,
    store: Store,
    versions: ServingVersions,
    judge: Callable[[MonitorConfig], Result],
    *,
    stop: Callable[[], bool],
) -> tuple[dict[int, Result], list[PitfallsError]]:
    """Judge every version that answers, or did and is in use still. What fails with one stops no other.

    Raises:
        AnotherRun: Another run is judging one of them.
    """
    in_use = {deployment.version for deployment in store.deployments.in_use(config.name)}
    results: dict[int, Result] = {}
    errors: list[PitfallsError] = []
    for version in versions_to_judge(versions, in_use, published_versions(config.model.folder)):
        if stop():
            break
        try:
            results[version] = judge(with_version(config, version))
        except AnotherRun:
            raise
        except PitfallsError as error:
            errors.append(error)
    return results, errors


def hand_over(
    config: MonitorConfig,
    store: Store,
    record: DeploymentRecord,
    versions: ServingVersions,
    *,
    notify: Notify | None,
    clock: Callable[[], datetime],
) -> None:
    """Close a version that answers no more; it stays in use until its receivers have been told."""
    number, now = record.number, clock()
    if number is None:
        return
    others = ", ".join(map(str, versions.serving))
    last = versions.former.get(record.version)
    until = "has no row" if last is None else f"answered last on {last:%Y-%m-%d %H:%M} UTC"
    text = f"Not serving: version {record.version} {until}; version {others} answers the traffic."
    store.incidents.close_all(number, IncidentAction(at=now, by=MONITOR, kind="close", text=text))
    if store.outbox.pending(number):
        send_outbox(config, store, number, notify, clock)
    if not store.outbox.pending(number):
        store.deployments.retire(number, now, retired_as="not serving")


def replace_others(config: MonitorConfig, store: Store, number: int, now: datetime) -> None:
    """Say of the other versions of a config that names its version that they are not in use any more."""
    for record in store.deployments.in_use(config.name):
        if record.number is not None and record.number != number:
            store.deployments.retire(record.number, now, retired_as="replaced")
