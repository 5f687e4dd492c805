"""Benchmarks: figures for docs/benchmarks.md, never a timed unit test."""
