"""How events and clicks reach apps: Socket Mode connections, the redelivery schedule, interactive envelopes."""
