"""Gets `pulumi` and its plugins on any machine, closed networks included.

What is on PATH is used; else the official download; else `pulumi` is built from Go modules and
stand-ins written in Python take the place of the two plugins that no package registry has.
`python3 -m toolchain` needs the standard library only: it runs before the project's .venv exists.
"""
