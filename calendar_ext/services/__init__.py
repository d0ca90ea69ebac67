"""One use case, one function or small class; no request, no SQL."""
