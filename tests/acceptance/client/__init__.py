"""A client on the lab's internet: speaks one protocol as a stranger's program does, and prints what it saw."""
