"""The traffic log: every answered prediction, its label when that comes, and the windows both are read in.

`log` is the front door (writer, reader and their records), `labels` holds the truth as it arrives, `windows` cuts the
time axis.
"""
