"""Incidents: opened by an alarm, told in plain words, followed until they are over."""
