"""The sections of a report as data and sentences, which the page, the terminal and the figure draw."""
