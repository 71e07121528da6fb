"""Which versions of a model are monitored: those that answer its traffic, whatever else lies in its folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.config import MonitorConfig
from monitoring.errors import CannotRun
from monitoring.jobs.deployment import window_plan
from monitoring.jobs.places import published_versions
from monitoring.jobs.sources.traffic import traffic_path
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.remote_log import log_folder
from monitoring.traffic.tables.files import is_table
from monitoring.traffic.windows import RowPlan

#: A version has stopped serving when others have answered for so many windows after its last row.
HANDED_OVER_WINDOWS = 2

#: The same where windows are of rows, which have no length.
HANDED_OVER = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingVersions:
    """The versions of a model by what they do.

    Attributes:
        serving: Those that answer the traffic, with the time of their last row.
        former: Those that did, and no longer do: others have answered since.
        idle: Those that are published and have no row.
    """

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
            if not isinstance(plan, RowPlan):
                [window] = plan.windows(end, end)
                patience = HANDED_OVER_WINDOWS * (window.end - window.start)
                end = window.end  # noqa: PLW2901 - the rest of its last window is its own
            if newest >= end + patience:
                del serving[version]
    return ServingVersions(
        serving=serving,
        former={version: end for version, end in last.items() if version not in serving},
        idle=tuple(version for version in sorted(published_versions(config.model.folder)) if version not in last),
    )


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
    published = published_versions(config.model.folder)
    for version in versions.serving:
        if version not in published:
            raise CannotRun(
                f"Version {version} of {config.model.name} answers traffic, and its bundle is not there.",
                got=f"{config.model.folder}, with {', '.join(map(str, sorted(published))) or 'no version'}",
                expected=f"the bundle that answers, {config.model.folder / str(version)}",
                fix="Copy it there: the versions that are there are judged meanwhile, and this one is not.",
            )
