"""A bench of monitors: real and simulated deployments with known harms, and one score for whatever raises alarms."""

from __future__ import annotations

import os

# Sums over small windows gain nothing from threads, and the order of their parts would differ between machines.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
