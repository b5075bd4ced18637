"""`python -m tests.lab.controllers STATE KUBECONFIG`: what a real cluster would have from elsewhere.

One process on the machine, as administrator: volumes, certificates, network policies.
"""

from __future__ import annotations

import http.client
import logging
import sys
import threading
import time
from pathlib import Path
from typing import Protocol

from tests.lab.controllers.api import Api, ApiError
from tests.lab.controllers.certificates import Certificates
from tests.lab.controllers.policies import Policies
from tests.lab.controllers.store import Store
from tests.lab.controllers.volumes import Volumes
from tests.lab.errors import LabError

_SETTLE_SECONDS = 0.02
_AGAIN_SECONDS = 10
_RETRY_SECONDS = 1


class Controller(Protocol):
    """Looks at its stores and does what is to be done; may be called at any time."""

    stores: list[Store]

    def reconcile(self) -> None:
        """Bring everything to where it should be."""


def _drive(controller: Controller) -> None:
    changed = threading.Event()
    for store in controller.stores:
        store.listen(changed)
        store.start()
    for store in controller.stores:
        store.filled.wait()
    while True:
        wait = _AGAIN_SECONDS
        try:
            controller.reconcile()
        except (ApiError, LabError, OSError, http.client.HTTPException) as error:
            logging.warning("%s: %s", type(controller).__name__, error)
            wait = _RETRY_SECONDS
        except Exception:
            logging.exception("%s", type(controller).__name__)
            wait = _RETRY_SECONDS
        changed.wait(wait)
        # Changes come in bursts.
        time.sleep(_SETTLE_SECONDS)
        changed.clear()


def main(state: Path, kubeconfig: Path) -> None:
    """Run until killed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    api = Api(kubeconfig)
    controllers: list[Controller] = [Volumes(api, state), Certificates(api, state), Policies(api, state)]
    threads = [threading.Thread(target=_drive, args=(each,)) for each in controllers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
