"""Exports a Keras model and its reference table as a bundle."""
