"""What an earlier replay has got done: read from the traffic log, so that the next one need not do it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.log.log import TrafficLog

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyLogged:
    """Requests that were answered, and predictions whose labels have arrived."""

    request_ids: frozenset[str] = frozenset()
    labelled: frozenset[str] = frozenset()


NOTHING = AlreadyLogged()


def already_logged(traffic: Path) -> AlreadyLogged:
    """What is in the traffic log of a folder. A request is there whole or not at all.

    Raises:
        BadInput: there is no traffic log.
    """
    log = TrafficLog(traffic)
    request_ids: set[str] = set()
    for model in {key.model for key in log.models()}:
        request_ids.update(pc.unique(log.read(model=model, columns=["request_id"]).column("request_id")).to_pylist())
    labelled = pc.unique(LabelLog(traffic).read().column("prediction_id")).to_pylist()
    return AlreadyLogged(request_ids=frozenset(request_ids), labelled=frozenset(labelled))
