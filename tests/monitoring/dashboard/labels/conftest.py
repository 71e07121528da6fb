"""The small deployment with a budget of labels, judged once, with 50 rows drawn, and a dashboard of it."""

from __future__ import annotations

from tests.asked_deployment import asked_files
from tests.small_deployment import bundle, days, deploy, deployed, every_fit_is_kept, send

__all__ = ["asked_files", "bundle", "days", "deploy", "deployed", "every_fit_is_kept", "send"]
