"""Import of runs that other tools have logged: each file reads one source into `runs.FoundRun`s, `mapping` says which
run is which arm and seed, and `sending` makes an external experiment of them."""
