"""Figures of single lessons, a module a notebook.

What is drawn teaches nothing by itself: every function takes numbers that the notebook has computed
and returns a matplotlib Figure.
"""
