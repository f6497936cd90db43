"""From a profile to a skip set: the paper's conditions."""
