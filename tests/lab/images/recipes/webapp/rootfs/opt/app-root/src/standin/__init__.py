"""A stand-in for Kolab's web application: real tables, real passwords, real jobs; no web interface."""
