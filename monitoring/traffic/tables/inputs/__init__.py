"""Inputs of a table that are made of its columns."""
