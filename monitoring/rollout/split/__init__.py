"""A split: each version answers the requests of a share of keys, and outcomes are compared between them."""
