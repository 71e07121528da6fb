"""Tables as pandas writes them are judged by what the light distribution has: without pandas, TensorFlow and others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

#: Adopts a reference and judges live rows in a process that can import none of these; prints how many windows it did.
WATCH = """
import sys
from datetime import datetime, timezone
from pathlib import Path

LEFT_OUT = {"evidently", "google_crc32c", "keras", "pandas", "statsmodels", "tensorflow", "tensorflow_data_validation"}

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in LEFT_OUT else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = map(Without, sys.meta_path)
from tests.forms.test_light_install import in_nanoseconds
from tests.own_table import REFERENCE, own_rows, watch
from tests.small_deployment import LIVE, Days

watched = watch(Path(sys.argv[1]), in_nanoseconds(own_rows(REFERENCE)))
watched.live("a.parquet", in_nanoseconds(own_rows(Days(days=10, start=LIVE))))
done, found = watched.run(now=datetime(2013, 4, 15, tzinfo=timezone.utc))
assert not LEFT_OUT & sys.modules.keys()
print(len(found.windows))
"""


def in_nanoseconds(rows: pa.Table) -> pa.Table:
    """Times as `timestamp[ns]`, none of which is a whole microsecond."""
    for name in ("ts", "known_at"):
        moments = rows[name].combine_chunks().cast(pa.timestamp("ns", "UTC")).cast(pa.int64())
        cells = pc.add(moments, 123).cast(pa.timestamp("ns", "UTC"))
        rows = rows.set_column(rows.column_names.index(name), name, cells)
    return rows


def test_nanoseconds_are_judged_by_the_light_install(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WATCH, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) > 5
