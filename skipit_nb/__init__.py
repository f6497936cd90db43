"""Understand and skip layers of vision-language models, live, in a notebook."""

__version__ = "0.1.0"
