"""The small deployment, a clock that stands still, and the rows of a request as the tests of traffic make them."""

from __future__ import annotations

from tests.monitoring.traffic.conftest import answer, clock
from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["answer", "bundle", "clock", "days", "deploy", "deployed", "send"]
