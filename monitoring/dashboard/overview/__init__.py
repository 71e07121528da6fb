"""Every deployment in one view, worst first, and as metrics for Prometheus."""
