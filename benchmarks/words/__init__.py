"""What the monitor says of planted faults: the first sentence, whether it names the cause, and whether it lasts."""
