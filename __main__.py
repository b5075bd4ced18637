"""Entry point: reads the stack file, makes the provider, and puts the stack on it."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi.runtime import config as runtime_config

from components.kolab import Kolab
from model.settings import Settings
from model.stack_file import NAMESPACE, StackFileError, load


def settings_of(config: pulumi.Config) -> Settings:
    """The stack file as settings; what is wrong with it is one message, before anything is registered."""
    everything = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    prefix = f"{NAMESPACE}:"
    values = {key.removeprefix(prefix): value for key, value in everything.items() if key.startswith(prefix)}
    hidden = {*runtime_config.get_config_secret_keys_env(), *runtime_config._SECRET_KEYS.get()}
    secret = {key.removeprefix(prefix) for key in hidden}
    try:
        settings, warnings = load(values, secret, plaintext=config.get)
    except StackFileError as error:
        raise pulumi.RunError(str(error)) from None
    for warning in warnings:
        pulumi.log.warn(str(warning))
    return settings


def cluster_of(settings: Settings) -> kubernetes.Provider:
    """The one cluster of the stack; there is no default provider to fall back to."""
    where = settings.kubernetes
    return kubernetes.Provider(
        "cluster",
        context=where.context,
        cluster_identifier=where.cluster_identifier,
        render_yaml_to_directory=where.render,
    )


config = pulumi.Config(NAMESPACE)
settings = settings_of(config)
Kolab(settings, config.require_secret, pulumi.ResourceOptions(providers=[cluster_of(settings)]))
