"""Benchmarks: how fast, how steady and how correct the server is.

Run with ``python -m bench``; docs/benchmarks.md says what the figures mean.
"""
