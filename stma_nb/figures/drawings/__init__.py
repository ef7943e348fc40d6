"""Drawings made by code: what is drawn is computed, and tests hold it to the numbers."""
