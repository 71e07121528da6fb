"""The search for subgroups in which a model has got worse: its rows, and its place in a run."""
