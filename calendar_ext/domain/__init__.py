"""Values and decisions: pure, no I/O and no clock."""
