"""What several checks say: the way out, and what becomes of mail. `{stack}` and `{namespace}` are filled in for each."""

from __future__ import annotations

SHOW_AND_PUSH = "./kolab dns show --wide --stack {stack}; ./kolab dns push --stack {stack}"
PROXY_LOGS = "kubectl -n {namespace} logs --selector app.kubernetes.io/name=proxy --since=1h"
TURN_LOGS = "kubectl -n {namespace} logs --selector app.kubernetes.io/name=coturn --since=1h"
CERTIFICATES = "kubectl get certificates,challenges --all-namespaces; docs/how-to/choose-an-issuer.md"
NOTHING_ANSWERS = "kubectl -n {namespace} get pods,services; docs/how-to/mail-does-not-arrive.md"

REFUSED = "Receivers refuse our mail or put it into spam."
DEFERRED = "Senders defer mail to us, and bounce it after days."
