"""The functions of the user's own metrics: found, told apart by their code, imported."""
