"""The live model: where it keeps its layers and vision rows, and a skip set at work on it."""
