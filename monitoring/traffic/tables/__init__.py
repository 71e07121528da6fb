"""Anyone's table of predictions as traffic: files of Parquet or CSV, or a table in memory, with columns of any name.

`files` finds and reads the files, `values` makes numbers, times and words of their cells, `rows` brings one piece into
the shape that the monitor reads, and `table` is the whole: every row once, by event time, whatever file it came in.
"""
