"""Engines: what reads a window's rows, in this process, in others, in Spark or in a database, and gives back sums."""
