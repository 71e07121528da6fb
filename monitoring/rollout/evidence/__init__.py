"""The mathematics of a rollout: numbers in, verdicts out; no store, no files, no clock."""
