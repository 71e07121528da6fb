"""The dashboard: pages of every deployment's state, from the overview to one window, served to a browser."""
