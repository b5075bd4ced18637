"""As little program as can be: as many resources as it is told, through the same engine and plugin."""

import pulumi
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
provider = kubernetes.Provider("cluster", render_yaml_to_directory=config.require("render"))
for number in range(config.require_int("resources")):
    kubernetes.core.v1.ConfigMap(
        f"floor-{number}",
        metadata={"name": f"floor-{number}", "namespace": "floor"},
        data={"number": str(number)},
        opts=pulumi.ResourceOptions(provider=provider),
    )
