"""TensorFlow Serving's REST dialect, over `serving.inference`."""

from __future__ import annotations
