"""Google Calendar behind the port."""

from .auth import GoogleEndpoints, GoogleType

__all__ = ["GoogleEndpoints", "GoogleType"]
