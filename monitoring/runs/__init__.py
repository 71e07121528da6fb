"""Runs of the monitor: the windows that are due are judged once, or those of a range again."""
