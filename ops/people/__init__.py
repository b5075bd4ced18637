"""Accounts, domains and lists, through what the web application offers (upstream: src/app/Console/Commands)."""
