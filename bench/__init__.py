"""Benchmarks: each compares with a limit or a peer in the same run and reports minimum, median and maximum."""
