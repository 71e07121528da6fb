"""The doors of training for Python: `train`, `compare` and `export` do what the verbs of these names do."""
