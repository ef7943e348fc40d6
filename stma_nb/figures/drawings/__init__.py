"""Drawings of ideas, made from numbers; a module for each subject."""
