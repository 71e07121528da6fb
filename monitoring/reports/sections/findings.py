"""Findings about the data, grouped over windows: a year of one finding is one line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitoring.records import BATCH, Finding, MonitorStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingGroup:
    """One kind of finding on one feature: the first and last window that had it, how many did, and the last message."""

    kind: str
    feature: str
    fact: bool
    windows: int
    first_start: datetime
    first_end: datetime
    last_start: datetime
    last_end: datetime
    message: str


def finding_groups(status: MonitorStatus) -> tuple[FindingGroup, ...]:
    """Group findings by kind and feature.

    Returns:
        Facts first, then by how many windows had them.
    """
    groups: dict[tuple[str, str], FindingGroup] = {}
    for window in status.windows:
        by_key: dict[tuple[str, str], Finding] = {}
        for finding in window.findings:
            if finding.kind == BATCH:
                continue  # the name of the window
            key = (finding.kind, finding.feature)
            fact = finding.fact or (key in by_key and by_key[key].fact)
            by_key[key] = Finding(kind=finding.kind, feature=finding.feature, message=finding.message, fact=fact)
        for key, finding in by_key.items():
            before = groups.get(key)
            groups[key] = FindingGroup(
                kind=finding.kind,
                feature=finding.feature,
                fact=finding.fact or (before is not None and before.fact),
                windows=1 + (before.windows if before else 0),
                first_start=before.first_start if before else window.start,
                first_end=before.first_end if before else window.end,
                last_start=window.start,
                last_end=window.end,
                message=finding.message,
            )
    return tuple(sorted(groups.values(), key=lambda group: (not group.fact, -group.windows, group.kind, group.feature)))
