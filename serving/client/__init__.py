"""A client of the server for Python programs: arrays in, arrays out, ids of rows, and their labels later."""
