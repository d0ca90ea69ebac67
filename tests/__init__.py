"""The whole suite: `python3 -m tests`. Standard library only here: this runs before anything is installed."""
