"""The monitor at work: one window's job, every window that is due, and the schedule."""
