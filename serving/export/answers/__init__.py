"""What the author's model answers to the rows of a reference, and what that is interpreted as."""
