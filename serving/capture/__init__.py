"""Every answered prediction is written to the traffic log before its answer is sent."""
