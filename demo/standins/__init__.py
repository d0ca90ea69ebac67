"""Local servers that behave like each provider."""
