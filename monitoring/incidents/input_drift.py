"""The inputs that drifted together with an alarm."""

from __future__ import annotations

import math

from monitoring.incidents.alarm import Alarm
from monitoring.records import InputDrift

#: Inputs and watches named in a message.
NAMED = 3


def drifted_inputs(alarm: Alarm) -> tuple[InputDrift, ...]:
    """The inputs with the largest evidence of drift, each once, largest first.

    An input has drifted once the evidence of one of its watches would be enough for a notice if nothing else were
    watched.

    Args:
        alarm: An alarm of either level.

    Returns:
        At most `NAMED` inputs.
    """
    least = math.log(alarm.baseline.thresholds["notice"])
    found: dict[str, InputDrift] = {}
    for key, evidence in sorted(
        ((reading.key, reading.log_evidence) for reading in alarm.notice.watches),
        key=lambda pair: (-pair[1], str(pair[0])),
    ):
        watch = alarm.baseline.watches[key.watch]
        if watch.family == "inputs" and watch.feature and least <= evidence < math.inf:
            found.setdefault(watch.feature, InputDrift(input=watch.feature, log_evidence=evidence))
    return tuple(found.values())[:NAMED]
