"""Rooms: a command in one meets nothing of this machine's labs, nor of another room's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab import machine, rooms
from tests.lab.errors import LabError
from tests.lab.processes import run

_ROOMS = ("test-a", "test-b")
_root = pytest.mark.skipif(os.geteuid() != 0, reason="rooms are root's to make")
_LOOK = "import json, os; from tests.lab import paths; print(json.dumps([os.listdir('/run/netns'), str(paths.MARK)]))"


@_root
def test_a_room_has_a_network_of_its_own() -> None:
    with rooms.opened(_ROOMS[:1]):
        links = json.loads(run(rooms.command(_ROOMS[0], ["ip", "-json", "link"])))
        assert [link["ifname"] for link in links if link["link_type"] != "tunnel"] == ["lo"]


@_root
def test_a_lab_in_a_room_has_names_of_its_own() -> None:
    with rooms.opened(_ROOMS):
        seen = [json.loads(run(rooms.command(room, [sys.executable, "-c", _LOOK]))) for room in _ROOMS]
    assert seen == [[[], "/run/kolab-lab-test-a.json"], [[], "/run/kolab-lab-test-b.json"]]


def test_only_root_opens_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="run it as root"), rooms.opened(_ROOMS):
        pass


def test_places_are_there_for_all_rooms_and_gone_afterwards(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    place = tmp_path / "var" / "kubelet"
    monkeypatch.setattr(machine, "_PLACES", (str(place), str(there)))
    monkeypatch.setattr(machine, "_NAMESPACES", tmp_path / "netns")
    with machine.places():
        assert place.is_dir()
    assert list(tmp_path.iterdir()) == [there]


@_root
def test_places_stay_where_a_lab_in_a_room_has_mounted_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = tmp_path / "netns"
    monkeypatch.setattr(machine, "_PLACES", ())
    monkeypatch.setattr(machine, "_NAMESPACES", place)
    line = ["unshare", "--mount", "--propagation", "private", "sh", "-c"]
    mounted = 'mount -t tmpfs tmpfs "$0" && touch "$0/inside" && echo mounted && read -r _ && ls "$0"'
    with machine.places():
        room = subprocess.Popen(
            [*line, mounted, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert room.stdout
        assert room.stdout.readline() == "mounted\n"
    # The room goes on when whoever made its places has ended.
    assert room.communicate("\n")[0] == "inside\n"


@_root
def test_a_room_that_somebody_is_in_is_left_alone() -> None:
    refused = pytest.raises(LabError, match="somebody else is in room test-b")
    with rooms.opened(_ROOMS), refused, rooms.opened(_ROOMS[1:]):
        pass
    with rooms.opened(_ROOMS[1:]):
        pass
