"""Time: what runs when, and in which process."""
