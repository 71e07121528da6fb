"""Rollouts by rows that are there already: a table with the answers of two versions, or logged requests."""
