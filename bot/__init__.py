"""Handrail: a payment-support bot for Slack."""

__version__ = "0.1.0"
