"""Stripe: payments for reading only, and a sandbox that stands in for it."""
