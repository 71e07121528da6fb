"""Erasing one person's predictions from the store."""
