"""Incidents: the cause of an alarm, the life cycle, and the notification of people."""
