"""Traffic as runs read it, window by window: a traffic log or a table of predictions.

`traffic` opens what a config names; `log_source` and `table_source` read it, each window as `log_window` and
`table_window` have it; `read_scope` says what part of the traffic is of interest.
"""
