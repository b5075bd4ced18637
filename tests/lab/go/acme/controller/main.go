// controller runs the controllers of cert-manager: all that its package registers, with the values of its flags that
// matter here. Its own main program is a module that Go's proxy cannot serve (its path names no directory).
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/cert-manager/cert-manager/pkg/controller"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/resource"

	_ "github.com/cert-manager/cert-manager/pkg/controller/acmechallenges"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmeorders"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/acme"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/metrics"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
)

func main() {
	options := controller.ContextOptions{
		// What upstream's flags say when nobody gives them (internal/apis/config/controller/v1alpha1/defaults.go).
		KubernetesAPIQPS: 20, KubernetesAPIBurst: 50,
		IssuerOptions: controller.IssuerOptions{ClusterResourceNamespace: "cert-manager", ClusterIssuerAmbientCredentials: true},
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverResourceRequestCPU:    resource.MustParse("10m"),
			HTTP01SolverResourceRequestMemory: resource.MustParse("64Mi"),
			HTTP01SolverResourceLimitsCPU:     resource.MustParse("100m"),
			HTTP01SolverResourceLimitsMemory:  resource.MustParse("64Mi"),
			ACMEHTTP01SolverRunAsNonRoot:      true,
			DNS01CheckAuthoritative:           true,
			DNS01CheckRetryPeriod:             10 * time.Second,
		},
		CertificateOptions: controller.CertificateOptions{
			CopiedAnnotationPrefixes:                 []string{"*", "-kubectl.kubernetes.io/", "-fluxcd.io/", "-argocd.argoproj.io/"},
			CertificateRequestMinimumBackoffDuration: time.Hour,
			CertificateRequestMaximumBackoffDuration: 32 * time.Hour,
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: 60},
	}
	var dns, http string
	var workers int
	flag.StringVar(&options.Kubeconfig, "kubeconfig", "", "of an administrator")
	flag.StringVar(&options.HTTP01SolverImage, "acme-http01-solver-image", "", "image of acmesolver")
	flag.StringVar(&dns, "dns01-recursive-nameservers", "", "whom it asks whether a record is there")
	flag.StringVar(&http, "acme-http01-solver-nameservers", "", "whom it asks for the address of a name")
	flag.DurationVar(&options.DNS01CheckRetryPeriod, "dns01-check-retry-period", options.DNS01CheckRetryPeriod, "time between questions")
	flag.DurationVar(&options.CertificateRequestMinimumBackoffDuration, "certificate-request-minimum-backoff-duration", options.CertificateRequestMinimumBackoffDuration, "time before what failed is tried again")
	flag.IntVar(&workers, "concurrent-workers", 5, "of each controller")
	flag.Parse()
	options.DNS01Nameservers, options.HTTP01SolverNameservers = strings.Split(dns, ","), strings.Split(http, ",")

	logf.InitLogs()
	stop, cancel := signal.NotifyContext(logf.NewContext(context.Background(), logf.Log, "controller"), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	if err := run(stop, options, workers); err != nil {
		log.Fatal(err)
	}
}

func run(stop context.Context, options controller.ContextOptions, workers int) error {
	factory, err := controller.NewContextFactory(stop, options)
	if err != nil {
		return err
	}
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	group, stop := errgroup.WithContext(stop)
	for _, make := range controller.Known() {
		each, err := make(factory)
		if err != nil {
			return err
		}
		group.Go(func() error { return each.Run(workers, stop) })
	}
	shared.SharedInformerFactory.Start(stop.Done())
	shared.KubeSharedInformerFactory.Start(stop.Done())
	shared.HTTP01ResourceMetadataInformersFactory.Start(stop.Done())
	return group.Wait()
}
