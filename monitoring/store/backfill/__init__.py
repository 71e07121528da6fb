"""Attempts at judging windows, and windows that are judged again."""
