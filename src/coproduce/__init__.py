"""Coproduce: everyone who spoke hears what changed."""

__version__ = "0.1.0"
