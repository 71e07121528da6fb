"""Requests and labels that an earlier replay has sent, read from the traffic log, so that a replay can resume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.log.log import TrafficLog

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedTraffic:
    """What is in a traffic log."""

    request_ids: frozenset[str] = frozenset()
    labelled: frozenset[str] = frozenset()


NOTHING_LOGGED = LoggedTraffic()


def already_logged(traffic: Path) -> LoggedTraffic:
    """Read the ids in a traffic log. All rows of a request are logged together."""
    log = TrafficLog(traffic)
    request_ids: set[str] = set()
    for model in {key.model for key in log.models()}:
        request_ids.update(pc.unique(log.read(model=model, columns=["request_id"]).column("request_id")).to_pylist())
    labelled = pc.unique(LabelLog(traffic).read().column("prediction_id")).to_pylist()
    return LoggedTraffic(request_ids=frozenset(request_ids), labelled=frozenset(labelled))
