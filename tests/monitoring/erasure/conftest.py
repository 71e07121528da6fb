"""The small deployment, a store, a clock that stands still, and rows as the tests of traffic make them."""

from __future__ import annotations

from tests.monitoring.store.conftest import deployment, deployment_record, incident, store, url, window
from tests.monitoring.traffic.conftest import answer, clock
from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = [
    "answer",
    "bundle",
    "clock",
    "days",
    "deploy",
    "deployed",
    "deployment",
    "deployment_record",
    "incident",
    "send",
    "store",
    "url",
    "window",
]
