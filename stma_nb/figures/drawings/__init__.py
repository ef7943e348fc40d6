"""Drawings made by code: how a radar looks, how attention works, how a network is built.

What is drawn is computed, so that lengths and angles mean something; where a drawing is not to
scale, it says so. Functions return a matplotlib Figure, to be shown as SVG.
"""
