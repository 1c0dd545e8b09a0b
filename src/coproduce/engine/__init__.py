"""What can be computed, as a plain Python library: no Django, no database, no network."""
