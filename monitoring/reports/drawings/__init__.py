"""Charts as paths and labels, drawn without a script."""
