"""Subgroups of the inputs in which a model has got worse than in others: the search, its rows, and the notices."""
