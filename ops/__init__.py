"""Day-2 work: `./kolab ...`. Nothing here is needed for `make up` itself."""
