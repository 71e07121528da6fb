"""Many seeds of one recipe, fitted through one compiled program."""
