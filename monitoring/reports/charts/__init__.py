"""The charts of the page, as plain figures for Plotly, each with its data in words and as a table."""
