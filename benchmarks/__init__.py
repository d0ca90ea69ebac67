"""How fast, against what, on this machine: `python3 -m benchmarks`. Standard library only here."""
