"""TensorFlow Serving's REST dialect, over `serving.inference.inference`."""

from __future__ import annotations
