"""Cells of an experiment's grid: what is run once per seed."""
