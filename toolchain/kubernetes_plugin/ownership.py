"""Whose a field is: Create makes fields the plugin's by Update, the first Update makes them its own by Apply."""

from __future__ import annotations

from .api import Api, ApiError, Resource
from .wire import Object

CREATE_MANAGER = "pulumi-kubernetes"
# Names under which older versions of the genuine plugin made objects.
_CREATORS = (CREATE_MANAGER, "pulumi-kubernetes.exe", "pulumi-resource-kubernetes")


def take_over(api: Api, resource: Resource, obj: Object, manager: str) -> None:
    """Make fields that Create or kubectl own those of the manager, so that apply may also remove them.

    The genuine plugin does so outside of dry runs only (await.go, fixCSAFieldManagers): the preview of an object's
    first update keeps every field that the program drops.
    """
    for last_try in (False, False, True):
        live = api.get(resource, obj["metadata"].get("namespace"), obj["metadata"]["name"])
        managed = taken_over(live["metadata"].get("managedFields") or [], manager, str(obj["apiVersion"]))
        if managed is None:
            return
        version = live["metadata"]["resourceVersion"]
        operations = [
            {"op": "replace", "path": "/metadata/managedFields", "value": managed},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        ]
        try:
            api.patch(resource, obj, operations)
            return
        except ApiError as error:
            if error.code != 409 or last_try:
                raise


def forced(wanted: Object) -> bool:
    """Whether the program says that other managers' fields are to be taken."""
    annotations = (wanted.get("metadata") or {}).get("annotations") or {}
    return bool(annotations.get("pulumi.com/patchForce") == "true")


def forced_in_preview(wanted: Object, live: Object) -> bool:
    """The same of a dry run, which also wins over what the update itself will take over first (await.go, patchForce)."""
    managed = live["metadata"].get("managedFields") or []
    created = any(e.get("operation") == "Update" and e.get("manager") in _CREATORS for e in managed)
    return forced(wanted) or created or not managed


def taken_over(managed: list[Object], manager: str, api_version: str) -> list[Object] | None:
    """managedFields in which `manager` owns what `pulumi-kubernetes` and kubectl had written without apply.

    None when there is nothing to take over.
    """

    def foreign(entry: Object) -> bool:
        name = str(entry.get("manager", ""))
        ours = name == CREATE_MANAGER or name.startswith("kubectl")
        return ours and entry.get("operation") == "Update" and not entry.get("subresource")

    taken = [entry for entry in managed if foreign(entry)]
    if not taken:
        return None
    kept = [entry for entry in managed if not foreign(entry)]
    own = next((e for e in kept if e.get("manager") == manager and e.get("operation") == "Apply"), None)
    mine = {
        "manager": manager,
        "operation": "Apply",
        "apiVersion": api_version,
        "fieldsType": "FieldsV1",
        **(own or {}),
        "fieldsV1": _union([e.get("fieldsV1") or {} for e in ([own] if own else []) + taken]),
    }
    return [entry for entry in kept if entry is not own] + [mine]


def _union(trees: list[Object]) -> Object:
    result: Object = {}
    for tree in trees:
        for key, value in tree.items():
            result[key] = _union([result.get(key) or {}, value])
    return result
