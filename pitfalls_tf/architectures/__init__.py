"""Widely used networks, one file per family, and the optimiser settings that each recommends.

Importing this package loads no framework; `dropout` and `initial_state` load Keras.
"""

from __future__ import annotations
