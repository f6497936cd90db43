"""How far layers move tokens, and where text reads the image."""
