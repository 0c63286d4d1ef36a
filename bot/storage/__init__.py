"""Everything kept: SQLModel tables, stores, migrations."""
