"""The reference host and the provider stand-ins: `python3 -m demo`. Standard library only here."""
