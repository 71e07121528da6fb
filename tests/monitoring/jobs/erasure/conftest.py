"""The rows of a request, as the traffic's tests make them."""

from __future__ import annotations

from tests.monitoring.traffic.conftest import answer

__all__ = ["answer"]
