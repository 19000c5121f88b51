"""The report on a project: its numbers, its pictures, and one page that holds both."""
