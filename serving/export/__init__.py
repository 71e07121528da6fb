"""A Keras model and its reference table become a bundle."""
