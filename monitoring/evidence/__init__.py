"""From window scores to alarms: e-values, running tests, and the budget that they share."""
