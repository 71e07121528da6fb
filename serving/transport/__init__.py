"""Sockets, HTTP/1.1 and JSON, in no dialect."""
