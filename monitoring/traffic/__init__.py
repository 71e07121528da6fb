"""Traffic: answered predictions and their labels, from a traffic log or from a table, cut into windows.

format              columns, tensors, segments and folders of a traffic log on disk
remote              files in object stores and at other URLs, and a local cache of them
labels              labels of predictions in order of arrival; label files
log                 the traffic log: writer, reader, conversion to Parquet, archive
tf_prediction_log   TensorFlow Serving's PredictionLog records in TFRecord files
tables              tables of predictions in other formats, and streams of their rows
windows, id_keys    windows by event time or by rows; prediction ids as 64-bit keys

Each folder imports only from those above it.
"""
