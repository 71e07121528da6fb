"""One file per family of watches: bounded scores of predictions, and what their names mean."""
