"""Everything Handrail talks to: the local workspace, payments, models, mail."""
