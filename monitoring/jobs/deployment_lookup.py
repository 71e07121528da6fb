"""Which deployment in the store a config means."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.config import MonitorConfig
from monitoring.errors import CannotRun
from monitoring.jobs.deployment import find_baseline, previous_evidence, same_evidence
from monitoring.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """The number of the deployment, None where the model has none, and why it is not the config's own, if it is not."""

    number: int | None
    note: str = ""


def meant(config: MonitorConfig, store: Store) -> Meant:
    """The deployment of the config as it stands: its model, version, settings and baseline.

    Where it has judged nothing yet, or the baseline is out of reach, the model's deployment used last, with a note.
    """
    last = store.latest(config.model.name)
    if last is None:
        return Meant(number=None)
    version = store.deployment_record(last).version
    try:
        place = find_baseline(config)
        number = store.find(config.model.name, place.version, same_evidence(config))
        if number is None:
            number = store.find(config.model.name, place.version, previous_evidence(config))
    except CannotRun:
        note = f"The baseline is out of reach; this is what was judged last, of version {version}."
        return Meant(number=last, note=note)
    if number is not None:
        return Meant(number=number)
    return Meant(
        number=last,
        note=f"Nothing was judged yet as the config stands; this is what was judged last, of version {version}.",
    )
