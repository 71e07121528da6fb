"""The traffic log: one row for every answered prediction, and the labels that come for it later."""
