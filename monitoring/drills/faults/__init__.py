"""Faults: pure functions of a window's rows. `fault` says what one is, `catalogue` lists them all."""
