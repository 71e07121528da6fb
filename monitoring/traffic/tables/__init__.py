"""Tables of predictions as traffic: files of Parquet or CSV with columns of any name.

`files` finds the files and their pieces, and `piece_reader` reads them: batch by batch, or whole where a file does not
allow that. `rows`, `answers`, `times` and `values` say what cells mean, and `row_batches` is what the monitor reads.
`table` is the whole: every row once (`repeats`), by event time (`extents`), whatever file it is in. Labels that became
known with their rows are counted with them (`inline_labels`); the others go into a label log (`label_import`).
"""
