"""Engines: what reads a window's rows, and gives back what is judged of them."""
