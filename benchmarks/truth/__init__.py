"""Benchmarks of the false-alarm budget: false pages, delays, causes and estimates, beside other monitors."""
