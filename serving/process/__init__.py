"""A server in a process of its own, for notebooks, scripts and tests."""
