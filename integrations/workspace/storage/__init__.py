"""SQLite state of a workspace: one connection, one writer, one module per table."""
