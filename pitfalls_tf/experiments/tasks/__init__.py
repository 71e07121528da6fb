"""Rows that experiments train on and score: by source, by pairs of domains, and altered."""
