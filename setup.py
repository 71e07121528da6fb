"""What neither setup.cfg nor pyproject.toml can say: the one module in C, without which everything works, slower."""

import os

from setuptools import Extension, setup

#: A wheel without the module, for systems that have no other: the same results.
PURE = bool(os.environ.get("PITFALLS_PURE"))

setup(
    ext_modules=[]
    if PURE
    else [
        Extension(
            "monitoring.baseline._binning",
            ["monitoring/baseline/_binning.c"],
            # no fused multiply and add: the results are those of every other machine
            extra_compile_args=["-O3", "-ffp-contract=off"],
            py_limited_api=True,
            optional=True,
        )
    ],
    options={} if PURE else {"bdist_wheel": {"py_limited_api": "cp311"}},
)
