"""Which of a model's outputs is what is predicted, and in which form."""
