"""The larger model in the box: a real pretrained language model that learned to see, in an hour on a CPU."""
