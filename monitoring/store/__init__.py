"""The store of deployments, windows, evidence and incidents: SQLite, or PostgreSQL by URL."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitoring.records import DeploymentRecord
    from monitoring.store.leases import Lease
    from monitoring.store.store import Store
    from monitoring.store.windows import StoredWindow

__all__ = ["DeploymentRecord", "Lease", "Store", "StoredWindow"]

#: Names imported at first use: they load SQLAlchemy, which a run with nothing due does without.
_LAZY = {
    "DeploymentRecord": "monitoring.records",
    "Lease": "monitoring.store.leases",
    "Store": "monitoring.store.store",
    "StoredWindow": "monitoring.store.windows",
}


def __getattr__(name: str) -> object:
    """Import a name at its first use."""
    if name not in _LAZY:
        raise AttributeError(f"module 'monitoring.store' has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
