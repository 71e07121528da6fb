"""Answers prediction requests from a SavedModel bundle, and logs every answer before it leaves.

Speaks TensorFlow Serving's REST and gRPC dialects, so that a client written for that server needs no change, and the
Open Inference Protocol. Importing this package loads neither TensorFlow nor Keras; starting a server does.

The rooms, and which may import which, are listed in `setup.cfg` and drawn in `docs/architecture.md`.

A request goes down and its answer up: ``transport`` reads it off the wire, ``server`` finds the dialect, a dialect
(``rest``, ``grpc_api``, ``inference_v2``) translates it, ``inference`` joins it with others into a batch and runs the
version that ``models`` has loaded, and ``capture`` writes the answer to the traffic log before it leaves. ``export``
makes bundles; ``workers`` runs several servers at one address, ``process`` has `Server`, the door for Python, and
``client`` has `Client`, for programs that ask.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.client.client import Client, Prediction
    from serving.process.server import Server

__all__ = ["Client", "Prediction", "Server"]

_MODULES = {
    "Client": "serving.client.client",
    "Prediction": "serving.client.client",
    "Server": "serving.process.server",
}


def __getattr__(name: str) -> object:
    """Import a public name at its first use: importing the package loads nothing."""
    if name not in _MODULES:
        raise AttributeError(f"module 'serving' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """The public names, which are imported at first use, too."""
    return sorted({*globals(), *__all__})
