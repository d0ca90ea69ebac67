"""A local imitation of Google's sign-in and calendar API: `serve()` starts one on loopback."""

from .server import Standin, serve

__all__ = ["Standin", "serve"]
