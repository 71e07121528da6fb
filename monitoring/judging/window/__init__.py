"""From a window's rows and labels, batch by batch, to the sums that are judged."""
