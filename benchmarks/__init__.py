"""Measurements: `python -m benchmarks.NAME`; see README.md here."""
