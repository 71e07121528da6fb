"""The long-running service: many configs, each run on its own schedule."""
