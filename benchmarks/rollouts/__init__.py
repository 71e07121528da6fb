"""Simulated rollouts: rows that two versions have answered, in each task, and rivals that are fed the same rows."""
