"""The store of deployments, windows, evidence and incidents: SQLite, or PostgreSQL by URL."""

from __future__ import annotations

from monitoring.store.lease import Lease
from monitoring.store.records import DeploymentRecord, StoredWindow
from monitoring.store.store import Store

__all__ = ["DeploymentRecord", "Lease", "Store", "StoredWindow"]
