"""The drills of a deployment."""
