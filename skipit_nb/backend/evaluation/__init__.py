"""Skip set against skip set on the same questions, with honest statistics."""
