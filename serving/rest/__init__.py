"""TensorFlow Serving's REST dialect, as bare ASGI over `serving.inference`."""

from __future__ import annotations
