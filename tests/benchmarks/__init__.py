"""Timed claims: each beside a peer in one run, as ratios. Run by hand, on a quiet machine.

python -m tests.benchmarks.aiin [--json FILE]
"""
