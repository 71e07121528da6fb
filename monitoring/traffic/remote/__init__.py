"""Files in object stores and at other URLs, and their local cache."""
