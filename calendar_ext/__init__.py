"""Two-way calendar sync for a Flask host: the names other packages may import are `hookspecs` and `contract`."""

__version__ = "0.1.0"
