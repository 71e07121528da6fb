"""Logs that other servers wrote, as tables: requests and responses joined by id, bodies parsed into columns."""
