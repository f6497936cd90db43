"""From measurements to a skip set: the paper's conditions, published methods, search, agreement."""
