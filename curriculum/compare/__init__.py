"""Reading runs: a sweep in one table, and who moved between two runs."""
