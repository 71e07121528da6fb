"""The page of a deployment's drills."""
