"""What is asked on the pages of the agenda. One file for each noun."""
