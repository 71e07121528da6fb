"""Answers prediction requests from a SavedModel bundle, and logs every answer before it leaves.

Speaks TensorFlow Serving's REST and gRPC dialects, so that a client written for that server needs no change, and the
Open Inference Protocol. Importing this package loads neither TensorFlow nor Keras; starting a server does.

The rooms, and which may import which, are listed in `setup.cfg` and drawn in `docs/architecture.md`.

A request goes down and its answer up: ``transport`` reads it off the wire, ``server`` finds the dialect, a dialect
(``rest``, ``grpc_api``, ``inference_v2``) translates it, ``inference`` joins it with others into a batch and runs the
version that ``models`` has loaded, and ``capture`` writes the answer to the traffic log before it leaves. ``export``
makes bundles; ``workers`` runs several servers at one address.
"""

from __future__ import annotations

__all__: list[str] = []
