"""Day-2 work: `python -m ops ...`. Nothing here is needed for `pulumi up` itself."""
