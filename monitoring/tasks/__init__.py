"""Tasks: what a model answers, what its labels are, and which losses tell how well they agree."""
