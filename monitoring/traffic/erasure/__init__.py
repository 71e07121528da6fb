"""Erasing the rows of one person: from the files of a traffic log, its label log and its archive, and from tables."""
