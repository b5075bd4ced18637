"""The images that the lab itself needs: what upstream's manifests name, made from our own builds."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.lab import paths
from tests.lab.oci import write_image
from tests.lab.programs import COREDNS, METALLB, modules, program
from toolchain.cache import new_directory

PAUSE = "registry.lab/pause:3.10"
ECHO = "registry.lab/echo:1"

# image -> (program, its path in the image)
_IMAGES = {
    PAUSE: ("pause", "/pause"),
    f"registry.k8s.io/coredns/coredns:{COREDNS}": ("coredns", "/coredns"),
    f"quay.io/metallb/controller:{METALLB}": ("metallb-controller", "/controller"),
    f"quay.io/metallb/speaker:{METALLB}": ("metallb-speaker", "/speaker"),
    ECHO: ("echo", "/echo"),
}
_BUSYBOX = Path("/bin/busybox")


def tars() -> list[Path]:
    """The image tars, made when they are not there."""
    homes = [modules()[name].home.name.rpartition("-")[2] for name in ("tools", "coredns", "metallb")]
    directory = paths.cache() / "own-images" / "-".join(homes)
    if not directory.is_dir():
        with new_directory(directory) as scratch:
            for name, (built, path) in _IMAGES.items():
                files, links = {path: program(built)}, {}
                if name == ECHO:
                    # With a shell, so that tests can look at files in volumes.
                    files["/bin/busybox"] = _BUSYBOX
                    links = {f"/bin/{applet}": "busybox" for applet in _applets() if applet != "busybox"}
                write_image(scratch / f"{built}.tar", name, files, [path], links)
    return sorted(directory.glob("*.tar"))


def of_module(module: str, name: str, built: str, path: str, *, user: str = "") -> Path:
    """The tar of an image `name` of one program, for a test that has its module built; made when it is not there."""
    home = modules()[module].home
    directory = home.with_name(f"{home.name}-image-{built}")
    if not directory.is_dir():
        with new_directory(directory) as scratch:
            write_image(scratch / f"{built}.tar", name, {path: program(built)}, [path], user=user)
    return directory / f"{built}.tar"


def _applets() -> list[str]:
    listing = subprocess.run([_BUSYBOX, "--list"], capture_output=True, text=True, check=True)
    return listing.stdout.split()
