//go:build services

package broker_test

import (
	"os"
	"testing"
)

func init() {
	sites = append(sites, site{"kafka", func(t testing.TB) string { return env(t, "DATONG_TEST_KAFKA") }})
}

func env(t testing.TB, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Fatalf("%s is not set: eval \"$(deploy/testbed/testbed env)\"", name)
	}
	return v
}
