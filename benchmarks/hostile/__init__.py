"""Requests of at most 100 kB that are made to cost far more than they weigh, and what they cost."""
