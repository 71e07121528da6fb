"""Which versions of a model are monitored: those that answer its traffic, whatever else lies in its folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from monitoring.config import MonitorConfig
from monitoring.deployment.deployment import window_plan
from monitoring.deployment.places import known_versions, published_versions, with_version
from monitoring.errors import AnotherRun, CannotRun, PitfallsError
from monitoring.notifications.outbox import Notify, send_outbox
from monitoring.records import DeploymentRecord, IncidentAction
from monitoring.sources.traffic import traffic_path
from monitoring.store.store import Store
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.remote_log import log_folder
from monitoring.traffic.tables.files import is_table

#: A version has stopped serving when others have answered for so many windows after its last row.
HANDED_OVER_WINDOWS = 2

#: The same where windows are of rows, which have no length.
HANDED_OVER = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingVersions:
    """The versions of a model by what they do."""

    serving: Mapping[int, datetime]
    former: Mapping[int, datetime]
    idle: tuple[int, ...] = ()


def follows_versions(config: MonitorConfig) -> bool:
    """Whether a config leaves open which version of its model is monitored, and its traffic says which one answers."""
    path = config.traffic.path
    if config.model.bundle is None or config.model.version is not None or path is None:
        return False
    return config.traffic.query is None and not is_table(path)


def serving_versions(config: MonitorConfig) -> ServingVersions:
    """Find which versions of a model answer its traffic. Cost: of each version the footers of two dates."""
    log = TrafficLog(log_folder(traffic_path(config)), excluded=frozenset(config.traffic.exclude_callers))
    name = config.model.name
    last = {}
    for version in sorted({key.version for key in log.models() if key.model == name}):
        if (extent := log.extent(name, version)) is not None:
            last[version] = extent[1]
    plan = window_plan(config)
    newest = max(last.values(), default=None)
    serving = dict(last)
    if newest is not None:
        for version, end in last.items():
            patience = HANDED_OVER
            for window in plan.windows(end, end):
                patience = HANDED_OVER_WINDOWS * (window.end - window.start)
                end = window.end  # noqa: PLW2901 - the rest of its last window is its own
            if newest >= end + patience:
                del serving[version]
    return ServingVersions(
        serving=serving,
        former={version: end for version, end in last.items() if version not in serving},
        idle=tuple(version for version in sorted(published_versions(config.model.folder)) if version not in last),
    )


def answering_config(config: MonitorConfig) -> MonitorConfig:
    """The config for the version that answered last, where it leaves that open; as it is where none has answered."""
    if not follows_versions(config):
        return config
    serving = serving_versions(config).serving
    return with_version(config, max(serving, key=lambda version: (serving[version], version))) if serving else config


def versions_to_judge(
    versions: ServingVersions, in_use: Collection[int], published: Collection[int]
) -> tuple[int, ...]:
    """The versions that a run judges: those that answer, and former ones that are in use still, up to their last row.

    Returns:
        Them in order; none where no version has a row.

    >>> noon = datetime(2024, 1, 1, 12)
    >>> versions = ServingVersions(serving={2: noon}, former={1: noon}, idle=(3,))
    >>> versions_to_judge(versions, (), (1, 2, 3)), versions_to_judge(versions, (1,), (1, 2, 3))
    ((2,), (1, 2))
    """
    former = {version for version in versions.former if version in in_use and version in published}
    return tuple(sorted({*(version for version in versions.serving if version in published), *former}))


def reject_unpublished(config: MonitorConfig, versions: ServingVersions) -> None:
    """Refuse a version that answers and has no bundle to be judged by. Raises CannotRun for it."""
    published = known_versions(config.model.folder)
    for version in versions.serving:
        if version not in published:
            raise CannotRun(
                f"Version {version} of {config.model.name} answers traffic, and its bundle is not there.",
                got=f"{config.model.folder}, with {', '.join(map(str, sorted(published))) or 'no version'}",
                expected=f"the bundle that answers, {config.model.folder / str(version)}",
                fix="Copy it there: the versions that are there are judged meanwhile, and this one is not.",
            )


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
    for version in versions_to_judge(versions, in_use, known_versions(config.model.folder)):
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
