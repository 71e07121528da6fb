"""The data dictionary: what a config says of each column, held against its baseline."""
