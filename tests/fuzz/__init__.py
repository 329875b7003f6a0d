"""Damaged and hostile files, and what the readers make of them.

`python -m tests.fuzz` is the long run (five minutes, Linux), `tests/data/test_mutants.py`
the short one. `seeds` writes well-formed small files whose pixels are known, `mutators` damages
them, `bombs` makes files that claim or unpack to too much, `real` and `series` find and damage real
files and folders; `watch` reads them all in processes that may die, and `judge` says whether what
was delivered is right.
"""
