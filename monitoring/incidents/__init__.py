"""Incidents: the cause of an alarm, its onset and harm, and the life cycle."""
