"""The JSON documents that leave the monitor: one schema each for incident, window, run, deployment and drill."""
