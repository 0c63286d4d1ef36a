"""Measuring Handrail: bench, eval, chaos."""
