"""What all benchmarks share: machine, processes, load, accounting, rounds and the report."""
