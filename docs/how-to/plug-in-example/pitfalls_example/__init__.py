"""A route that appends messages to a file, and an engine that runs tasks in threads."""
