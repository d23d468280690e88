"""SWAN-SF as it is distributed: file names, columns, archives, and lines that are stored once."""
