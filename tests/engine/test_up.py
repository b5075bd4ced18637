"""One `up` deploys everything, and a second one finds nothing to do."""
def test_x(local):
    print(len(local.first.operations))
    print(local.first.output[-1500:])
def test_y(cluster):
    print(len(cluster.first.operations))
    print(cluster.first.output[-1500:])
