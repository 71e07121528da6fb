"""Rules of the user's own about the rows of a window: what breaks one is a fact, outside the evidence's budget."""
