"""The charts of reports, one file each: drawings, their data as a table, and what they say in words."""
