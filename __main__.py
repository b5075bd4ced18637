"""Entry point: reads the stack file, makes the providers, puts the stack on them, and says what came of it."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi.runtime import config as runtime_config

from components.guard import Guard
from components.kolab import Kolab
from components.preflight import preflight
from model import identity, topology
from model.settings import Settings
from model.stack_file import NAMESPACE, StackFileError, load
from model.transition import snapshot


def settings_of(config: pulumi.Config) -> Settings:
    """The stack file as settings; what is wrong with it is one message, before anything is registered."""
    everything = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    hidden = {*runtime_config.get_config_secret_keys_env(), *runtime_config._SECRET_KEYS.get()}
    prefix = f"{NAMESPACE}:"
    values = {key.removeprefix(prefix): value for key, value in everything.items() if key.startswith(prefix)}
    try:
        settings, warnings = load(values, {key.removeprefix(prefix) for key in hidden}, plaintext=config.get)
    except StackFileError as error:
        raise pulumi.RunError(str(error)) from None
    for warning in warnings:
        pulumi.log.warn(str(warning))
    return settings


def cluster_of(settings: Settings) -> kubernetes.Provider:
    """The one cluster of the stack; there is no default provider to fall back to."""
    where = settings.kubernetes
    name, render = where.cluster_identifier, where.render
    return kubernetes.Provider(
        "cluster", context=where.context, cluster_identifier=name, render_yaml_to_directory=render
    )


config = pulumi.Config(NAMESPACE)
settings = settings_of(config)
preflight(settings)
guard = Guard.of(settings)
kolab = None
if settings.scope != "dns":
    here = pulumi.ResourceOptions(providers=[cluster_of(settings)])
    kolab = Kolab(settings, config.require_secret, guard, here)
if settings.dns.provider == "cloudflare" and settings.scope != "cluster":
    from components.dns import publish  # costly to import, and only needed here

    publish(settings, config.require_secret("cloudflareApiToken"), guard, kolab.proxy if kolab else None)

pulumi.export("model", snapshot(settings))
pulumi.export("addresses", topology.public_addresses(settings))
pulumi.export("tickets", identity.markdown(identity.tickets(settings)))
