"""The stand-ins against what the providers document, and against clients we did not write."""
