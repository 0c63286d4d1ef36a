"""What the browser page talks to: JSON calls, a stream of changes, the static files."""
