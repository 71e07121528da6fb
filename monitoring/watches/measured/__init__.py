"""Metrics that are shown beside the losses and not tested, from mergeable sums over labelled rows."""
