"""How a plugin process lives: started by the engine, serving gRPC on a port it prints, ended by the engine."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Callable
from concurrent import futures

import grpc

# What the engine and the SDK use; a big stack exceeds gRPC's 4 MB.
MAX_MESSAGE_BYTES = 400 * 1024 * 1024


def engine_address(argv: list[str]) -> str:
    """The engine's own address is the last argument; before it there may be flags."""
    addresses = [argument for argument in argv if not argument.startswith("-")]
    return addresses[-1] if addresses else ""


def new_server(workers: int) -> grpc.Server:
    """A gRPC server with the engine's message sizes."""
    options = [(f"grpc.max_{way}_message_length", MAX_MESSAGE_BYTES) for way in ("receive", "send")]
    return grpc.server(futures.ThreadPoolExecutor(max_workers=workers), options=options)


def serve(server: grpc.Server, stop: Callable[[], None]) -> int:
    """Serve until the engine interrupts us, or is gone; `stop` ends what is still running."""
    port = server.add_insecure_port("127.0.0.1:0")
    # An Event could not be set by a signal that comes while its own lock is held.
    over: queue.SimpleQueue[None] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.put(None))
    threading.Thread(target=_wait_for_end_of_input, args=(over,), daemon=True).start()
    server.start()
    print(port, flush=True)
    over.get()
    stop()
    server.stop(grace=1).wait()
    return 0


def _wait_for_end_of_input(over: queue.SimpleQueue[None]) -> None:
    # The engine holds the other end of our stdin: when it is killed, no orphan stays behind.
    # os.read, because a thread inside sys.stdin would abort the interpreter's shutdown.
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    over.put(None)
