"""The small deployment."""

from __future__ import annotations

from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]
