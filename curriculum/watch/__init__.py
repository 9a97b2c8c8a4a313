"""A page of a run or a sweep under way, read from the files that it leaves as it goes."""
