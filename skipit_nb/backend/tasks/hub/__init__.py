"""Benchmarks on the Hugging Face hub, by name: read in part, drawn by whole images."""
