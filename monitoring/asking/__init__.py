"""Asks people for labels: rows drawn from what was answered, each with a known probability, within a budget."""
