"""Splits requests that name no version between two versions, as a rollout says."""
