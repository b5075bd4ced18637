"""The provider's own settings: read, checked, compared."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from .wire import Object, Value, is_unknown, plain


class BadKubeconfig(Exception):
    """The kubeconfig cannot be read as one."""


@dataclass(frozen=True)
class Config:
    """What Configure was given. Numbers and booleans arrive as JSON in strings."""

    render_directory: Path | None = None
    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    config_maps_mutable: bool = False
    secrets_mutable: bool = False
    upsert: bool = False
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False

    @classmethod
    def of(cls, settings: Object) -> Config:
        """The settings by their names in the provider's schema."""
        text = {key: value for key, value in plain(settings).items() if value not in (None, "")}

        def flag(name: str, variable: str = "") -> bool:
            return str(text.get(name, os.environ.get(variable, ""))).lower() == "true"

        folder = text.get("renderYamlToDirectory")
        return cls(
            render_directory=Path(folder) if folder else None,
            kubeconfig=text.get("kubeconfig"),
            context=text.get("context"),
            namespace=text.get("namespace"),
            config_maps_mutable=flag("enableConfigMapMutable"),
            secrets_mutable=flag("enableSecretMutable"),
            upsert=flag("upsertExistingObjects"),
            delete_unreachable=flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
            skip_update_unreachable=flag("skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE"),
        )

    def default_namespace(self) -> str | None:
        """For objects that name none: the setting, else the kubeconfig's; None when there is neither."""
        if self.namespace:
            return self.namespace
        try:
            found = self.load_kubeconfig()
        except BadKubeconfig:
            return None
        if found is None:
            return None
        context = _named(found, "contexts", self.context or found.get("current-context")).get("context") or {}
        return str(context.get("namespace") or "default")

    def load_kubeconfig(self) -> Object | None:
        """The kubeconfig of the setting (its text, or a file's name), else the environment's, else None."""
        if self.kubeconfig:
            return parse_kubeconfig(self.kubeconfig)
        names = os.environ.get("KUBECONFIG") or "~/.kube/config"
        for name in names.split(os.pathsep):
            file = Path(name).expanduser()
            if file.is_file():
                return parse_kubeconfig(file.read_text())
        return None


def check_config(news: Object) -> dict[str, str]:
    """Reasons by property; the genuine plugin looks at nothing else here."""
    if not news.get("renderYamlToDirectory"):
        return {}
    return {
        name: f'"{name}" arg is not compatible with "renderYamlToDirectory" arg'
        for name in ("cluster", "context", "kubeconfig")
        if news.get(name)
    }


def diff_config(olds: Object, news: Object) -> tuple[list[str], list[str]]:
    """Changed settings, and those of them for which every resource must be made anew."""
    olds, news = plain(olds), plain(news)
    changed = sorted(k for k in {*olds, *news} if olds.get(k) != news.get(k))
    replaces = []
    if "renderYamlToDirectory" in changed:
        replaces.append("renderYamlToDirectory")
    if olds.get("clusterIdentifier") and news.get("clusterIdentifier"):
        if "clusterIdentifier" in changed:
            replaces.append("clusterIdentifier")
    elif "kubeconfig" in changed and _is_other_cluster(olds.get("kubeconfig"), news.get("kubeconfig")):
        replaces.append("kubeconfig")
    return changed, replaces


def parse_kubeconfig(text: str) -> Object:
    """A kubeconfig as a mapping, from its text or a file's name."""
    try:
        if "\n" not in text and not text.lstrip().startswith("{") and Path(text).expanduser().is_file():
            text = Path(text).expanduser().read_text()
        found = yaml.safe_load(text)
    except (OSError, yaml.YAMLError) as error:
        raise BadKubeconfig(f"failed to parse kubeconfig: {error}") from None
    if not isinstance(found, dict):
        raise BadKubeconfig(
            "failed to parse kubeconfig: couldn't get version/kind; json parse error: not an object"
        )
    return found


def settings_of(args: Object, variables: dict[str, str]) -> Object:
    """Configure sends the settings twice; `variables` has them even when `args` is empty."""
    prefix = "kubernetes:config:"
    return {**{k.removeprefix(prefix): _unquoted(v) for k, v in variables.items()}, **args}


def _unquoted(text: str) -> Value:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | str) else text


def _is_other_cluster(old: Value, new: Value) -> bool:
    return bool(old and new and (is_unknown(new) or _active_cluster(old) != _active_cluster(new)))


def _active_cluster(kubeconfig: str) -> Object:
    found = parse_kubeconfig(kubeconfig)
    context = _named(found, "contexts", found.get("current-context")).get("context") or {}
    return _named(found, "clusters", context.get("cluster"))


def _named(kubeconfig: Object, kind: str, name: Value) -> Object:
    return next((entry for entry in kubeconfig.get(kind) or [] if entry.get("name") == name), {})
