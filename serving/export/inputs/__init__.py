"""A model's inputs, and the columns of a reference table that they are fed from."""
