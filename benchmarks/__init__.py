"""What the toolkit costs and whether what it promises is true; `python -m benchmarks` runs them all."""
