"""Answers prediction requests from a SavedModel bundle, and logs every answer before it leaves.

Speaks TensorFlow Serving's REST and gRPC dialects, so that a client written for that server needs no change, and the
Open Inference Protocol. Importing this package loads neither TensorFlow nor Keras; starting a server does.

The rooms, and which may import which, are listed in `setup.cfg` and drawn in `docs/architecture.md`.

A request goes down and its answer up: ``transport`` reads it off the wire, ``server`` finds the dialect, a dialect
(``rest``, ``grpc_api``, ``inference_v2``) translates it, ``inference`` joins it with others into a batch and runs the
version that ``models`` has loaded, and ``capture`` writes the answer to the traffic log before it leaves. ``export``
makes bundles; ``workers`` runs several servers at one address, and ``process`` has `Server`, the door for Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.process.server import Server

__all__ = ["Server"]


def __getattr__(name: str) -> object:
    """Import `Server` at its first use."""
    if name != "Server":
        raise AttributeError(f"module 'serving' has no attribute {name!r}")
    from serving.process.server import Server  # noqa: PLC0415 - importing the package loads nothing

    return Server


def __dir__() -> list[str]:
    """`Server`, which is imported at first use, too."""
    return sorted({*globals(), *__all__})
