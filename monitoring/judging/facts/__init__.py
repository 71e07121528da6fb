"""Facts: what one window shows by itself, at once and outside the false-alarm budget of the evidence."""
