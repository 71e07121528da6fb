"""Rollouts on new traffic in the dark: a worker tails the traffic log, has the candidate answer, and decides."""
