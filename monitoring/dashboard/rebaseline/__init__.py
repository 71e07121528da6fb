"""The form by which a deployment gets a new baseline."""
