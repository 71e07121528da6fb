"""Erasing the rows of one person wherever the project keeps them."""
