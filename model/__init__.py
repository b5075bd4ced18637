"""What the stack is, as plain values: no module below this package may import pulumi (tests/model/test_purity.py)."""
