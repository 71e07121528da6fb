"""A monitor made of a reference table: described, its baseline and config written, and later given a new baseline."""
