"""The state of a deployment, as the tests of reports have it."""

from __future__ import annotations

from tests.monitoring.reports.conftest import status, status_of

__all__ = ["status", "status_of"]
