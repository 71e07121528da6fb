"""A server process: its settings, start, reload of settings, and shutdown."""
