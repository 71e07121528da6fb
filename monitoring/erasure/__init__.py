"""Erases a person's rows wherever they are kept: traffic logs, labels, tables, and the store."""
