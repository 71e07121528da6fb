"""Prometheus metrics of one server process, and of several as one."""
