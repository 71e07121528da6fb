"""Answers prediction requests from a SavedModel bundle, and logs every answer before it leaves.

Speaks TensorFlow Serving's dialects, so that a client written for that server needs no change. Importing this package
loads neither TensorFlow nor Keras; starting a server does.
"""

from __future__ import annotations

__all__: list[str] = []
