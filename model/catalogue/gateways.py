"""Whether another server than the proxy can serve the websites."""

from __future__ import annotations

from model.findings import Rule

WEB_SERVERS = Rule(
    "web-servers",
    path="kolab:network.gateway",
    problem="is given beside network.ingress, and one server has ports 80 and 443 of the websites",
    fix="remove one of the two",
    why="A web name has the addresses of one server, and the proxy believes one about its clients.",
)
AUTHORITY = Rule(
    "gateway-authority",
    path="kolab:network.gateway.authorities",
    problem="is empty, but the proxy has a certificate of the stack's own authority (tls.issuer: selfSigned), which no Gateway believes",
    fix="deploy once without network.gateway, and write what `kubectl -n {namespace} get secret kolab-authority -o jsonpath='{{.data.tls\\.crt}}' | base64 -d` shows",
    why="A Gateway speaks TLS to the proxy, and only to one whose certificate it can prove.",
    source="Gateway API: BackendTLSPolicy",
)
KINDS = Rule(
    "gateway-kinds",
    path="kolab:network.gateway",
    problem="needs {kinds} of the Gateway API, which this cluster does not serve as gateway.networking.k8s.io/v1",
    fix="install Gateway API 1.4 or later (standard channel) and a controller that knows it, or remove network.gateway",
    why="Without a BackendTLSPolicy a Gateway would speak plain HTTP to the proxy, which answers nothing but TLS.",
    source="Gateway API: BackendTLSPolicy",
)
UNKNOWN = Rule(
    "gateway-unknown",
    path="kolab:network.gateway.name",
    problem="is {name}, and the namespace {namespace} of this cluster has no such Gateway",
    fix="use one of {gateways} (namespace/name), or make it (docs/how-to/use-a-gateway.md)",
    why="A route of an unknown Gateway is served by nobody.",
)
BACKEND_TLS = Rule(
    "gateway-backend-tls",
    path="kolab:network.gateway.name",
    problem="is {name} of the class {chosen}, whose controller {controller} does not list BackendTLSPolicy among what it supports: it would speak plain HTTP to the proxy",
    fix="bring the controller to a release that does, use a Gateway of another, or remove network.gateway",
    why="The proxy answers nothing but TLS.",
    source="Gateway API: GatewayClass, status.supportedFeatures",
)
NOT_READY = Rule(
    "gateway-not-ready",
    path="kolab:network.gateway.name",
    problem="is {name}, which says of itself that it is not {condition}",
    fix="kubectl -n {namespace} describe gateway {name}",
    why="Nobody answers at a Gateway that is not programmed.",
    severity="warning",
)
LISTENER = Rule(
    "gateway-listener",
    path="kolab:network.gateway.{key}",
    problem="names {listener}, which the Gateway {name} does not have",
    fix="use one of {listeners}",
    why="A route of an unknown listener is served by nobody.",
)
LISTENER_PLAIN = Rule(
    "gateway-plain",
    path="kolab:network.gateway.listeners",
    problem="names {listener}, which has the protocol {protocol}: passwords would come in the clear",
    fix="name listeners of the protocol HTTPS; one of port 80 belongs into network.gateway.redirect",
    why="Whoever logs in sends a password.",
)
LISTENER_PASSTHROUGH = Rule(
    "gateway-passthrough",
    path="kolab:network.gateway.listeners",
    problem="names {listener}, which has the protocol {protocol} and does not end TLS: what the proxy would see of every client is the Gateway's address",
    fix="name listeners of the protocol HTTPS with tls.mode Terminate",
    why="Only who ends TLS can say who the client is; brakes, locks and logs go by its address (docs/adr/0023-a-gateway-ends-tls.md).",
)
LISTENER_REDIRECT = Rule(
    "gateway-redirect",
    path="kolab:network.gateway.redirect",
    problem="names {listener}, which has the protocol {protocol}",
    fix="name the listener of the protocol HTTP",
    why="Browsers that ask without TLS are sent to HTTPS.",
)
ROUTES = Rule(
    "gateway-routes",
    path="kolab:network.gateway.{key}",
    problem="names {listener}, which takes no HTTPRoute of the namespace {namespace}",
    fix="let its allowedRoutes take it: namespaces.from Selector with kubernetes.io/metadata.name: {namespace}, and the kind HTTPRoute",
    why="A listener takes routes of its own namespace alone unless it says otherwise.",
    source="Gateway API: Listener, allowedRoutes",
)
HOSTS = Rule(
    "gateway-hosts",
    path="kolab:network.gateway.listeners",
    problem="are {listeners}, and none of them is for {hosts}",
    fix="add a listener for these names to the Gateway and name it, or one without a hostname",
    why="A listener with a hostname takes nothing else, and the route for what it does not take is not served.",
    source="Gateway API: Listener, hostname",
)
CERTIFICATE = Rule(
    "gateway-certificate",
    path="kolab:network.gateway.certificates",
    problem="is gateway, but the listener {listener} names the Secret {secret} of the stack, which it may not read",
    fix="write certificates: stack",
    why="A Secret of another namespace is read with a ReferenceGrant of that namespace only.",
    source="Gateway API: ReferenceGrant",
)
CONTROLLER_CIDR = Rule(
    "controller-cidr",
    path="kolab:network.{key}.controllerCidr",
    problem="is {given}, and pods of the namespace {namespace} {which} have addresses outside of it ({found}): what such a pod says about a client would not be believed, and all its clients would be one",
    fix="write a network that holds all pods that serve the websites, or acknowledge it where the cluster gives what they send another address (Cilium's own Gateway)",
    why="Brakes, locks and logs go by the client's address, which X-Forwarded-For says.",
    severity="warning",
)
