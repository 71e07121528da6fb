"""Descriptors: a few numbers of a cell that is no number itself, such as a text, to be watched like other inputs."""
