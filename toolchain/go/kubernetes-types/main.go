// Prints, as JSON, how Go sees the Kubernetes types that programs of this project write: field names, which of
// them vanish when empty, which are quantities. The genuine plugin passes built-in kinds through these types, so the
// stand-in needs to know them. Run it when the pinned k8s.io/api changes:
//
//	go run . > ../../kubernetes_plugin/go_types.json
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	admission "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	scheduling "k8s.io/api/scheduling/v1"
	storage "k8s.io/api/storage/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

var kinds = map[string][]any{
	"v1": {core.ConfigMap{}, core.Endpoints{}, core.LimitRange{}, core.Namespace{}, core.PersistentVolume{},
		core.PersistentVolumeClaim{}, core.Pod{}, core.ResourceQuota{}, core.Secret{}, core.Service{}, core.ServiceAccount{}},
	"admissionregistration.k8s.io/v1": {admission.MutatingWebhookConfiguration{}, admission.ValidatingAdmissionPolicy{},
		admission.ValidatingAdmissionPolicyBinding{}, admission.ValidatingWebhookConfiguration{}},
	"apiextensions.k8s.io/v1": {apiextensions.CustomResourceDefinition{}},
	"apps/v1":                 {apps.DaemonSet{}, apps.Deployment{}, apps.ReplicaSet{}, apps.StatefulSet{}},
	"autoscaling/v2":          {autoscaling.HorizontalPodAutoscaler{}},
	"batch/v1":                {batch.CronJob{}, batch.Job{}},
	"networking.k8s.io/v1":    {networking.Ingress{}, networking.IngressClass{}, networking.NetworkPolicy{}},
	"policy/v1":               {policy.PodDisruptionBudget{}},
	"rbac.authorization.k8s.io/v1": {rbac.ClusterRole{}, rbac.ClusterRoleBinding{}, rbac.Role{},
		rbac.RoleBinding{}},
	"scheduling.k8s.io/v1": {scheduling.PriorityClass{}},
	"storage.k8s.io/v1":    {storage.StorageClass{}},
}

// Types that write themselves: what stands in YAML has little to do with their Go fields.
var special = map[string]string{
	"Quantity": "quantity", "IntOrString": "any", "Time": "string", "MicroTime": "string", "Duration": "string",
	"FieldsV1": "any", "RawExtension": "any", "JSON": "any",
	"JSONSchemaPropsOrBool": "any|JSONSchemaProps", "JSONSchemaPropsOrArray": "any|JSONSchemaProps",
	"JSONSchemaPropsOrStringArray": "any|JSONSchemaProps",
}

var types = map[string]map[string]string{}

// describe names a type: `[]x`, `{}x`, `*x`, a scalar, or a struct (which it adds to types).
func describe(t reflect.Type) string {
	if s, ok := special[t.Name()]; ok {
		if _, target, found := strings.Cut(s, "|"); found {
			return "any|" + describe(fieldType("Schema", t, target))
		}
		return s
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + describe(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[]" + describe(t.Elem())
	case reflect.Map:
		return "{}" + describe(t.Elem())
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Float32, reflect.Float64:
		return "float"
	case reflect.Struct:
		name := t.PkgPath()[strings.LastIndex(strings.TrimSuffix(t.PkgPath(), "/"+last(t.PkgPath())), "/")+1:] + "." + t.Name()
		if _, seen := types[name]; !seen {
			types[name] = map[string]string{}
			fields(t, types[name])
		}
		return name
	default:
		return "int"
	}
}

func last(path string) string { return path[strings.LastIndex(path, "/")+1:] }

func fieldType(field string, t reflect.Type, want string) reflect.Type {
	f, ok := t.FieldByName(field)
	if !ok || f.Type.Elem().Name() != want {
		panic(t.Name() + "." + field + " is not a " + want)
	}
	return f.Type.Elem()
}

func fields(t reflect.Type, into map[string]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			fields(f.Type, into)
			continue
		}
		if name == "" || name == "-" {
			continue
		}
		if strings.Contains(options, "omitempty") {
			into[name] = "?" + describe(f.Type)
		} else {
			into[name] = describe(f.Type)
		}
	}
}

func main() {
	byKind := map[string]string{}
	for version, objects := range kinds {
		for _, object := range objects {
			t := reflect.TypeOf(object)
			byKind[version+"/"+t.Name()] = describe(t)
		}
	}
	for name := range types {
		if strings.HasSuffix(name, "Status") {
			delete(types, name) // programs do not write it
		}
	}
	os.Stdout.WriteString("{\"kinds\": {\n")
	lines(byKind)
	os.Stdout.WriteString("},\n\"types\": {\n")
	lines(types)
	os.Stdout.WriteString("}}\n")
}

// lines prints one entry a line, sorted: a new release is reviewed as a diff.
func lines[V any](entries map[string]V) {
	names := slices.Sorted(maps.Keys(entries))
	for i, name := range names {
		value, err := json.Marshal(entries[name])
		if err != nil {
			panic(err)
		}
		end := ",\n"
		if i == len(names)-1 {
			end = "\n"
		}
		fmt.Fprintf(os.Stdout, "%q: %s%s", name, value, end)
	}
}
