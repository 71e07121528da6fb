"""What neither setup.cfg nor pyproject.toml can say: the one module in C, without which everything works, slower."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "monitoring.baseline._binning",
            ["monitoring/baseline/_binning.c"],
            # no fused multiply and add: the results are those of every other machine
            extra_compile_args=["-O3", "-ffp-contract=off"],
            py_limited_api=True,
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
