"""One daemon per file: a component and its Args, built on daemon.py; kolab.py puts them together."""
