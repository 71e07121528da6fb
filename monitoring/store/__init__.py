"""The store of deployments, windows, evidence and incidents: SQLite, or PostgreSQL by URL."""

from __future__ import annotations

from monitoring.store.deployments import DeploymentRecord
from monitoring.store.lease import Lease
from monitoring.store.store import Store
from monitoring.store.windows import StoredWindow

__all__ = ["DeploymentRecord", "Lease", "Store", "StoredWindow"]
