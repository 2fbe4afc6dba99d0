"""Which rule of OCPI 2.2.1 is proven by which test: `python -m tests.conformance` writes docs/conformance.md.

A test proves the rules that its docstring names (`R9.5`). `rules.txt` lists them all.
"""
