"""One deployment: its windows, inputs, comparisons, runs, settings and drift reports."""
