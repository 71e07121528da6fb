"""The charts of the page, each with its drawings, its data in words and as a table."""
