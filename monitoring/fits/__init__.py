"""Fits of baselines in files, so that the next process need not make them again."""
