"""Drills in the store: what each planted, and what the monitor told."""
