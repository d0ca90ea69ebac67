"""The other side of the street: what we ask the host."""
