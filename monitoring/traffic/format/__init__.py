"""How a traffic log is stored: its columns, tensors, segments, Parquet files and folders."""
