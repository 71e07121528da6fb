"""Adapters: each file is a monitor, with `TITLE`, `LEVELS` and `alarms(reference, windows, level)`."""
