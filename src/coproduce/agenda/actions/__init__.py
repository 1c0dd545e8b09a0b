"""The verbs of the agenda. One file for each noun."""
