"""Slack's Web API, one module per method family."""
