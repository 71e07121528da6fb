"""The demo: the whole pipeline on real flights, from training to the alarm and its report."""

from __future__ import annotations

from pitfalls_tf.demo.pipeline import DemoResult, DemoSettings, run_demo

__all__ = ["DemoResult", "DemoSettings", "run_demo"]
