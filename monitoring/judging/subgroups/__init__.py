"""Subgroups of the inputs in which a model has got worse than in others, and the notices about them."""
