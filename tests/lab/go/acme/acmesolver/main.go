// acmesolver answers one challenge of HTTP-01: cert-manager's own handler with the flags of its image.
package main

import (
	"flag"
	"log"

	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

func main() {
	logf.InitLogs()
	var server solver.HTTP01Solver
	flag.IntVar(&server.ListenPort, "listen-port", 8089, "port")
	flag.StringVar(&server.Domain, "domain", "", "name that is proven")
	flag.StringVar(&server.Token, "token", "", "last part of the path")
	flag.StringVar(&server.Key, "key", "", "answer")
	flag.Parse()
	log.Fatal(server.Listen(logf.Log))
}
