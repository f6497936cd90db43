"""A skip set handed over: as a checkpoint without the skipped layers where that is exact, else beside the model."""
