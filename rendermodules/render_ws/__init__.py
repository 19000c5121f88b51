"""The Render web service in Python: the same routes, status codes and JSON on one SQLite file."""
