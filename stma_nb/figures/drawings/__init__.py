"""Drawings that explain one idea, made of computed numbers: one module for each topic."""
