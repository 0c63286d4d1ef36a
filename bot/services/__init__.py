"""Use cases, one module each. They know ports, never an adapter."""
