"""What clinicians and maintainers of the knowledge run: codes from tables, sources checked, README.md."""
