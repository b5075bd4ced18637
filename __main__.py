"""Entry point: reads the stack file, makes the providers, puts the stack on them, and says what came of it."""

from __future__ import annotations

import gc
import os
import signal
import sys

# The engine interrupts programs that it does not need any more; a KeyboardInterrupt would end in a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)
gc.set_threshold(100_000, 50, 100)  # a run keeps what it makes; looking for garbage took a third of it

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi.runtime import config as runtime_config

from components.guard import Guard
from components.kolab import Kolab
from components.ledger import Ledger
from components.losses import Losses
from components.preflight import preflight
from model import identity, rotation, topology
from model.settings import Settings
from model.stack_file import NAMESPACE, StackFileError, load

_ALL_IS_SAID = 32
"""Exit code of a program whose user knows what is wrong (pulumi-language-python-exec)."""


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
    # The plugin refuses to render beside any sign of a cluster, and the SDK takes KUBECONFIG for one that is given.
    reached = {"kubeconfig": ""} if render else {"context": where.context}
    return kubernetes.Provider("cluster", cluster_identifier=name, render_yaml_to_directory=render, **reached)


def deploy() -> None:
    """All of the stack. Raises pulumi.RunError when it must not be, before anything is registered."""
    config = pulumi.Config(NAMESPACE)
    settings = settings_of(config)
    marks = rotation.fingerprints(settings, config.get)
    settings, seen = preflight(settings, marks)
    ledger = Ledger(settings, seen, marks)
    guard = Guard.of(settings, seen.deployed)
    losses = Losses.of(settings, seen)
    kolab = None
    if settings.scope != "dns":
        here = pulumi.ResourceOptions(providers=[cluster_of(settings)])
        kolab = Kolab(settings, config.require_secret, guard, here, deployed=seen.deployed)
    if settings.dns.provider == "cloudflare" and settings.scope != "cluster":
        from components.dns import publish  # costly to import, and only needed here

        publish(settings, config.require_secret("cloudflareApiToken"), guard, kolab.proxy if kolab else None)

    losses.refuse()
    pulumi.export("model", ledger.applied())
    pulumi.export("addresses", topology.public_addresses(settings))
    pulumi.export("tickets", identity.markdown(identity.tickets(settings)))


try:
    deploy()
except pulumi.RunError as refusal:
    # A RunError that leaves the program makes the language host add that it exited with code 1, and whichever way an
    # exception leaves it, what it has made until then is still registered: so it ends here.
    pulumi.log.error(str(refusal))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(_ALL_IS_SAID)
