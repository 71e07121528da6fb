"""Worlds on which the whole method is tried: quiet years, benign seasons and harms, beside control charts."""
