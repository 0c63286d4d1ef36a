"""Values and rules of Handrail. Does not interact with any dependencies, only processes data."""
