"""PredictionLog records as a table: the rows and columns that `pitfalls traffic DIR --to FILE.parquet` has of them."""

from __future__ import annotations

from pathlib import Path

from monitoring.atomic import scratch_folder
from monitoring.timestamps import EPOCH
from monitoring.traffic.remote.local_cache import LOCAL_CACHE

TFRECORD = (".tfrecord", ".tfrecords")


def as_parquet(path: Path) -> Path:
    """The records of a file as a Parquet file, made once in this process for as long as the file stays as it is.

    A truncated record at the end, of a writer that was interrupted or is still writing, is left out until it is whole.
    Cost: the file is read twice; about a tenth of a millisecond per record, and as much disk as its rows take in a
    traffic log; TensorFlow is imported for its messages.
    """
    status = path.stat()

    def convert(target: Path) -> None:
        from monitoring.traffic.format.parquet_file import write_parquet  # noqa: PLC0415 - as above
        from monitoring.traffic.log.log import TrafficLog  # noqa: PLC0415 - it depends on tables
        from monitoring.traffic.log.writer import TrafficWriter  # noqa: PLC0415 - it depends on tables
        from monitoring.traffic.tf_prediction_log.prediction_log import import_log  # noqa: PLC0415 - as above

        with scratch_folder() as folder:
            writer = TrafficWriter(folder, clock=lambda: EPOCH)
            try:
                import_log(path, writer.append)
            finally:
                writer.close()
            write_parquet(target, TrafficLog(folder).table())

    return LOCAL_CACHE.get(str(path.absolute()), f"{status.st_size} {status.st_mtime_ns}", ".parquet", convert)
