"""The experiments: one file per figure or section of the paper."""
