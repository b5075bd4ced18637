"""From the raw keys of a stack file to Settings, or to findings: every fault at once, each with its key and fix."""

from __future__ import annotations

import copy
import difflib
import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from model.findings import Finding, report
from model.keys import Plaintext, mismatches
from model.rules import check
from model.secrets import Secret, secrets
from model.settings import Settings

NAMESPACE = "kolab"

_TOP = {field.alias or name: field for name, field in Settings.model_fields.items()}
_KNOWN_SECRETS = frozenset(
    [
        "relayPassword",
        "s3AccessKey",
        "s3SecretKey",
        "cloudflareApiToken",
        "mxKey",
        "mxNextKey",
        "minioPassword",
        "meetServerToken",
        "meetWebhookToken",
        "turnSecret",
        "monitoringPassword",
    ]
)


class StackFileError(Exception):
    """The stack file is refused; the message is what the operator reads."""

    def __init__(self, findings: Collection[Finding]) -> None:
        super().__init__(report(findings))
        self.findings = tuple(findings)


def load(
    values: Mapping[str, Any],
    secret_keys: Collection[str] = (),
    *,
    need_secrets: bool = True,
    plaintext: Plaintext | None = None,
) -> tuple[Settings, tuple[Finding, ...]]:
    """Settings and the warnings about them.

    `values` maps `kolab:` keys, without the prefix, to what the stack file holds (objects may still be JSON
    text); `secret_keys` names those that are or contain `secure:`. Rendering masks secrets and so does without
    them (`need_secrets=False`). With `plaintext`, key pairs are compared. Raises StackFileError with all findings.
    """
    findings: list[Finding] = []
    raw: dict[str, Any] = {}
    for key, value in values.items():
        if key in _TOP and key in secret_keys:
            findings.append(_secret_inside(key))
        elif key in _TOP:
            raw[key] = _decode(value, _TOP[key])
        elif not _is_secret_key(key):
            findings.append(_unknown(key, (*_TOP, *_KNOWN_SECRETS), f"{NAMESPACE}:{key}"))
        elif key not in secret_keys:
            findings.append(_plain_secret(key))
    settings, shape = _parse(raw)
    findings += shape
    if settings is not None:
        faulty = [finding.path for finding in findings]
        findings += [f for f in check(settings) if not any(_below(f.path, path) for path in faulty)]
        present = set(values)
        if need_secrets:
            findings += _missing_secrets([s for s in secrets(settings) if s.key not in present])
        if plaintext is not None:
            findings += mismatches(settings, plaintext)
    if any(f.severity == "error" for f in findings) or settings is None:
        raise StackFileError(findings)
    return settings, tuple(findings)


def _parse(raw: dict[str, Any]) -> tuple[Settings | None, list[Finding]]:
    """Settings of what is well-formed, and a finding for each value that is not.

    Faulty values are left out and the rest is judged, so that one typing error does not hide the others.
    """
    findings: list[Finding] = []
    rest = copy.deepcopy(raw)
    for _ in range(3):
        try:
            return Settings.model_validate(rest), findings
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=True, include_input=False)
            for detail in details:
                finding = _shape_finding(detail)
                if finding.path not in {known.path for known in findings}:
                    findings.append(finding)
                _drop(rest, _keys(detail))
    return None, findings


def _decode(value: Any, field: FieldInfo) -> Any:
    if not isinstance(value, str):
        return value
    if field.annotation in (str, str | None) or value[:1] not in '{["tf':
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _is_secret_key(key: str) -> bool:
    if key.startswith("dkimKey-") or key in _KNOWN_SECRETS:
        return True
    return key in _ALWAYS


def _always() -> frozenset[str]:
    minimal = Settings(mode="single-node", domain="example.org")
    return frozenset(secret.key for secret in secrets(minimal))


_ALWAYS = _always()


def _keys(detail: Any) -> tuple[str | int, ...]:
    """Where the fault is, as keys of the stack file.

    pydantic puts the tag of a chosen union member behind the union's own key, and "[key]" behind a faulty
    dictionary key; neither stands in the file.
    """
    found: list[str | int] = []
    untagged: set[tuple[str | int, ...]] = set(_UNIONS)
    for part in detail["loc"]:
        if tuple(found) in untagged:
            untagged.remove(tuple(found))
        elif part != "[key]":
            found.append(part)
    return tuple(found)


_UNIONS = (("network", "egress"), ("dns", "ptr"), ("tls",))


def _path(keys: tuple[str | int, ...]) -> str:
    text = ".".join(f"[{k}]" if isinstance(k, int) else str(k) for k in keys).replace(".[", "[")
    return f"{NAMESPACE}:{text}" if text else NAMESPACE


def _shape_finding(detail: Any) -> Finding:
    keys, kind, context = _keys(detail), detail["type"], detail.get("ctx", {})
    path = _path(keys)
    if kind == "extra_forbidden":
        return _unknown(str(keys[-1]), _fields_at(keys[:-1]), path)
    if kind == "missing":
        return Finding(rule="missing", path=path, problem="is missing", fix=f"add it; {_describe(keys)}")
    if kind in ("literal_error", "enum"):
        return Finding(
            rule="value",
            path=path,
            problem=f"must be {context['expected']}",
            fix=f"write one of {context['expected']}",
        )
    if kind == "union_tag_invalid":
        tags = context["expected_tags"]
        return Finding(
            rule="value",
            path=f"{path}.{context['discriminator'].strip(chr(39))}",
            problem=f"must be one of {tags}",
            fix=f"write one of {tags}",
        )
    if kind == "union_tag_not_found":
        tag = context["discriminator"].strip("'")
        return Finding(
            rule="missing",
            path=f"{path}.{tag}",
            problem="is missing",
            fix=f"add {tag}: to say which kind this is",
        )
    message = detail["msg"].removeprefix("Value error, ")
    if kind.startswith("ip_"):
        message = "must be an IP address" if "address" in kind else "must be a network such as 10.42.0.0/16"
    if kind == "string_pattern_mismatch":
        message = f"must match {context['pattern']}"
    message = message[:1].lower() + message[1:]
    return Finding(rule="value", path=path, problem=message, fix=_describe(keys) or "correct the value")


def _unknown(key: str, known: Collection[str], path: str) -> Finding:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    fix = (
        f"did you mean {close[0]}?"
        if close
        else f"remove it; known keys: {', '.join(sorted(known)) or 'none'}"
    )
    return Finding(rule="unknown-key", path=path, problem="is not a key of the stack file", fix=fix)


def _secret_inside(key: str) -> Finding:
    return Finding(
        rule="secret-inside",
        path=f"{NAMESPACE}:{key}",
        problem="holds a `secure:` value inside an object, where it would reach state in plain text",
        fix=f"move it to its own flat key: pulumi config set --secret {NAMESPACE}:<name>; see docs/reference/secrets.md",
    )


def _plain_secret(key: str) -> Finding:
    return Finding(
        rule="plain-secret",
        path=f"{NAMESPACE}:{key}",
        problem="is a secret but stands in plain text",
        fix=f"change it, since it may be in your history, and store it with: pulumi config set --secret {NAMESPACE}:{key}",
    )


def _missing_secrets(missing: list[Secret]) -> Iterator[Finding]:
    """One finding for all that `ops secrets` would make, and one for each that only the operator has."""
    made = [secret.key for secret in missing if secret.format != "given"]
    if made:
        yield Finding(
            rule="missing-secret",
            path=f"{NAMESPACE}:{made[0]}",
            problem=f"is missing, like {len(made) - 1} more: {', '.join(made[1:])}"
            if made[1:]
            else "is missing",
            fix="python -m ops secrets --stack <stack> makes what is missing and keeps what is there",
        )
    for secret in missing:
        if secret.format == "given":
            yield Finding(
                rule="missing-secret",
                path=f"{NAMESPACE}:{secret.key}",
                problem=f"is missing ({secret.why})",
                fix=f"pulumi config set --secret {NAMESPACE}:{secret.key}",
            )


def _below(path: str, faulty: str) -> bool:
    return path == faulty or path.startswith((f"{faulty}.", f"{faulty}["))


def _drop(raw: Any, keys: tuple[str | int, ...]) -> None:
    node = raw
    for key in keys[:-1]:
        try:
            node = node[key]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(node, dict) and keys:
        node.pop(keys[-1], None)
    elif isinstance(node, list) and keys and isinstance(keys[-1], int) and keys[-1] < len(node):
        node.pop(keys[-1])


def _model_at(keys: tuple[str | int, ...]) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    model: type[BaseModel] | None = Settings
    field: FieldInfo | None = None
    for key in keys:
        if model is None:
            return None, None
        field = next((f for n, f in model.model_fields.items() if key in (f.alias, n)), None)
        annotation = field.annotation if field else None
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
    return model, field


def _fields_at(keys: tuple[str | int, ...]) -> tuple[str, ...]:
    model, _ = _model_at(keys)
    return tuple(f.alias or n for n, f in model.model_fields.items()) if model else ()


def _describe(keys: tuple[str | int, ...]) -> str:
    _, field = _model_at(keys)
    text = (field.description or "").strip().rstrip(".") if field else ""
    return f"it means: {text}" if text else ""
