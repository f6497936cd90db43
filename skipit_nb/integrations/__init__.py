"""Other evaluation harnesses: our skipped model in theirs, our results in their files, their runs under our statistics.

Nothing here is imported unless asked for.
"""
