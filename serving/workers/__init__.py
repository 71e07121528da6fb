"""Several server processes at the same addresses, and their supervisor."""
