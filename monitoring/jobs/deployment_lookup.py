"""The deployment in the store that belongs to a config."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.config import MonitorConfig
from monitoring.errors import CannotRun
from monitoring.jobs.deployment import find_baseline, previous_evidence, same_evidence
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

    Args:
        config: the config.
        store: the monitor's store.

    Returns:
        That deployment; where it has judged nothing yet, or the baseline cannot be read, the model's deployment used
        last, with a note.
    """
    last = store.latest(config.model.name)
    if last is None:
        return DeploymentLookup(number=None)
    shown = f"Shown is the deployment judged last, of version {store.deployment_record(last).version}."
    try:
        place = find_baseline(config)
        number = store.find(config.model.name, place.version, same_evidence(config))
        if number is None:
            number = store.find(config.model.name, place.version, previous_evidence(config))
    except CannotRun:
        return DeploymentLookup(number=last, note=f"The baseline cannot be read. {shown}")
    if number is not None:
        return DeploymentLookup(number=number)
    return DeploymentLookup(number=last, note=f"Nothing was judged yet with the config's settings. {shown}")
