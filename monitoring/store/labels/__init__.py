"""Who added labels to the traffic of a deployment; the labels themselves are in the traffic log."""
