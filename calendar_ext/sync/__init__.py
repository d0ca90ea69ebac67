"""The engine: providers and stores through ports, nothing else."""
