"""Judging one window, purely: its sums and the state before it in, a judgement and the state after it out."""
