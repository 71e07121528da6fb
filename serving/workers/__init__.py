"""Several server processes at one address, and their supervisor."""
