"""Training: a setup, its rows, its runs, and the model that is deployed."""
