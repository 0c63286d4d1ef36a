"""Block Kit: what Slack accepts in messages and views, and what its elements report back."""
