"""Benchmarks of speed, and of the error rates that the toolkit promises; `python -m benchmarks` runs them."""
