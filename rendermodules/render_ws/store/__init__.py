"""Everything a service remembers, in one SQLite file; the only place with SQL."""
