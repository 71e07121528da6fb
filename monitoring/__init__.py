"""Watches a deployed model from its bundle and its traffic, and nothing else.

Works alone on anyone's traffic log. Importing this package loads no TensorFlow, Keras, TFDV or Evidently: each room
below imports what it needs when it needs it.

The rooms, from the ground up. Each imports only from the lines above its own, and names on one line do not know each
other::

    errors
    config | records
    traffic | store
    baseline
    watches | evidence
    reports | incidents
    jobs
    dashboard | drills
"""

from __future__ import annotations

from monitoring.errors import BadInput, CannotRun, PitfallsError

__all__ = ["BadInput", "CannotRun", "PitfallsError"]
