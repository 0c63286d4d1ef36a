"""All of Slack: what comes in (intake, actions, views, home) and what goes out (messenger, directory, blocks)."""
