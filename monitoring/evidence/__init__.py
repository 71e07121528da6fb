"""From window scores to alarms: e-values, running tests, and the false-alarm budget they share."""
