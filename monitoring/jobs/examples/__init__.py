"""Rows of the traffic and of the baseline that a person looks at."""
