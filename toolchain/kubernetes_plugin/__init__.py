"""Stand-in for `pulumi-resource-kubernetes` with the two behaviours this project uses.

It renders objects to YAML files, and it applies them to a *test* cluster. It is held to answers recorded
from the genuine plugin (tests/toolchain/provider_behaviour); cluster mode is refused unless
KOLAB_STANDIN_CLUSTER=1 is set, which only the tests and their lab do.
"""
