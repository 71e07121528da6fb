"""Rows before training: tables, features and their encoding, splits, folds and the reference table."""
