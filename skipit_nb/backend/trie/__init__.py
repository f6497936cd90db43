"""Many skip sets on one batch, with the work they share done once."""
