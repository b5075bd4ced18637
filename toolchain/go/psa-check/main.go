// Reads a multi-document YAML stream and says which workloads break a Pod Security level, one line each:
//
//	psa-check restricted < manifests.yaml
//
// The judgement is upstream's own (k8s.io/pod-security-admission), the same the API server makes. It matters here
// because the API server only warns about Deployments: it refuses their pods, later. Exit code 1: something breaks
// the level; 2: the input cannot be judged.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	sigsyaml "sigs.k8s.io/yaml"
)

// object has every place where a workload may keep its pods.
type object struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		corev1.PodSpec `json:",inline"`
		Template       corev1.PodTemplateSpec `json:"template"`
		JobTemplate    struct {
			Spec struct {
				Template corev1.PodTemplateSpec `json:"template"`
			} `json:"spec"`
		} `json:"jobTemplate"`
	} `json:"spec"`
}

// workloads says where a kind keeps its pods. Other kinds may have a spec of any shape, and are not read.
var workloads = map[string]func(*object) *corev1.PodTemplateSpec{
	"CronJob":    func(o *object) *corev1.PodTemplateSpec { return &o.Spec.JobTemplate.Spec.Template },
	"DaemonSet":  template,
	"Deployment": template,
	"Job":        template,
	"Pod": func(o *object) *corev1.PodTemplateSpec {
		return &corev1.PodTemplateSpec{ObjectMeta: o.ObjectMeta, Spec: o.Spec.PodSpec}
	},
	"ReplicaSet":  template,
	"StatefulSet": template,
}

func template(o *object) *corev1.PodTemplateSpec { return &o.Spec.Template }

func main() {
	broken, err := run(os.Args[1:], os.Stdin, os.Stdout)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "psa-check:", err)
		os.Exit(2)
	case broken:
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) (broken bool, err error) {
	if len(args) != 1 {
		return false, errors.New("usage: psa-check privileged|baseline|restricted < manifests.yaml")
	}
	level, err := api.ParseLevel(args[0])
	if err != nil {
		return false, err
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		return false, err
	}
	documents := yaml.NewYAMLReader(bufio.NewReader(in))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return broken, nil
		}
		if err != nil {
			return broken, err
		}
		complaint, err := judge(evaluator, api.LevelVersion{Level: level, Version: api.LatestVersion()}, document)
		if err != nil {
			return broken, err
		}
		if complaint != "" {
			broken = true
			fmt.Fprintln(out, complaint)
		}
	}
}

// judge answers the complaint about one document, or nothing.
func judge(evaluator policy.Evaluator, level api.LevelVersion, document []byte) (string, error) {
	var kind metav1.TypeMeta
	if err := sigsyaml.Unmarshal(document, &kind); err != nil {
		return "", err
	}
	pods, ok := workloads[kind.Kind]
	if !ok {
		return "", nil
	}
	var o object
	if err := sigsyaml.Unmarshal(document, &o); err != nil {
		return "", fmt.Errorf("%s: %w", kind.Kind, err)
	}
	verdict := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &pods(&o).ObjectMeta, &pods(&o).Spec))
	if verdict.Allowed {
		return "", nil
	}
	return fmt.Sprintf("%s/%s: %s", o.Kind, o.Name, verdict.ForbiddenDetail()), nil
}
