"""How much detection finds of labelled texts, beside Presidio where it is at hand, and how quiet it is on others.

Run with ``python -m bench.accuracy`` and ``python -m bench.accuracy.quiet``; docs/accuracy.md says what it means.
"""
