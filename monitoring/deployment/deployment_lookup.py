"""The deployment in the store that belongs to a config."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.config import MonitorConfig
from monitoring.deployment.deployment import earlier_evidence, same_evidence
from monitoring.deployment.places import find_baseline, published_versions, traffic_place, with_version
from monitoring.errors import CannotRun
from monitoring.store.identity import check_traffic
from monitoring.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentLookup:
    """The deployment that was found.

    Attributes:
        number: its number in the store; None if nothing of the model was judged yet.
        note: why it is another than the config's own; empty if it is that.
    """

    number: int | None
    note: str = ""


def look_up_deployment(config: MonitorConfig, store: Store) -> DeploymentLookup:
    """Find the deployment of a config as it stands: of its model, version, settings and baseline.

    Returns:
        That deployment; where it has judged nothing yet, or the baseline cannot be read, the deployment of that name
        that was used last, with a note.
    """
    last = store.deployments.latest(config.name)
    if last is None:
        last = store.deployments.latest(config.model.name) if config.deployment.name is not None else None
    if last is None:
        return DeploymentLookup(number=None)
    check_traffic(store.deployments.read(last), config.name, traffic_place(config))
    shown = f"Shown is deployment {last}, judged last, of version {store.deployments.read(last).version}."
    try:
        numbers = [
            number for version_config in _versions(config) if (number := _number(version_config, store)) is not None
        ]
    except CannotRun:
        return DeploymentLookup(number=last, note=f"The baseline cannot be read. {shown}")
    in_use = {deployment.number for deployment in store.deployments.in_use(config.name)}
    if numbers:
        return DeploymentLookup(number=next((number for number in numbers if number in in_use), numbers[0]))
    return DeploymentLookup(number=last, note=f"Nothing was judged yet with the config's settings. {shown}")


def config_in_use(config: MonitorConfig, store: Store) -> MonitorConfig:
    """The config for the version that was judged last; as it is where it names one, or nothing was judged yet.

    A folder with a newer version, which has answered nothing yet, changes nothing.
    """
    found = look_up_deployment(config, store)
    if config.model.bundle is None or config.model.version is not None or found.number is None or found.note:
        return config
    return with_version(config, store.deployments.read(found.number).version)


def _versions(config: MonitorConfig) -> list[MonitorConfig]:
    """The config for each version that it may be of, the newest first. Raises CannotRun if there is none."""
    if config.model.bundle is None or config.model.version is not None:
        return [config]
    newest = find_baseline(config).version
    others = sorted(published_versions(config.model.folder), reverse=True)
    return [config, *(with_version(config, version) for version in others if version != newest)]


def _number(config: MonitorConfig, store: Store) -> int | None:
    """The number of the deployment of one version; None where it has none with these settings."""
    version = find_baseline(config).version
    for digest in (same_evidence(config), *(earlier.digest for earlier in earlier_evidence(config))):
        number = store.deployments.find(config.model.name, version, digest)
        if number is not None:
            return number
    return None
