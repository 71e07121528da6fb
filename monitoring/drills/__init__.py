"""Drills: faults planted in replayed traffic, to see whether and when a deployment's own monitor tells.

`clean_windows` takes windows of the deployment's own traffic in which nothing was wrong, `timeline` draws days from
them, `faults` change them, `replayed_traffic` shows them to the monitor's own job, and `drill` runs that job in a store
of its own, with and without each fault. Nothing here writes into the deployment's store, labels or outbox.
"""
