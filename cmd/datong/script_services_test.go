//go:build services

package main

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/segmentio/kafka-go"
)

// TestServiceScripts runs testdata/services/*.txtar against real servers. Beside the commands of TestScripts there is
//
//	topic NAME PARTITIONS [SETTING=VALUE…]  make a topic
//
// and the environment has, beside the variables of the testbed:
//
//	$NAME                     a name of this run's own, for topics, databases and accounts
//	$PG_HOST, $MYSQL_HOST     where the databases answer
//	$SCRATCH_PG, $SCRATCH_MY  databases of this run's own
func TestServiceScripts(t *testing.T) {
	name := "bad_" + strings.ToLower(rand.Text()[:10])
	postgres, mysql := service(t, "DATONG_TEST_POSTGRES"), service(t, "DATONG_TEST_MYSQL")
	scriptCommands["topic"] = makeTopic
	vars := []string{
		"NAME=" + name,
		"PG_HOST=" + host(t, postgres), "MYSQL_HOST=" + host(t, mysql),
		"SCRATCH_PG=" + inDatabase(t, postgres, name), "SCRATCH_MY=" + inDatabase(t, mysql, name),
	}
	for _, variable := range []string{
		"POSTGRES", "MYSQL", "KAFKA", "KAFKA_SECURE", "KAFKA_SECURE_PLAIN_SASL", "KAFKA_SECURE_MUTUAL_TLS", "KAFKA_CA", "KAFKA_CERT", "KAFKA_KEY",
	} {
		vars = append(vars, "DATONG_TEST_"+variable+"="+service(t, "DATONG_TEST_"+variable))
	}
	scratch(t, postgres, "CREATE DATABASE "+name, "DROP DATABASE "+name+" WITH (FORCE)", "DROP ROLE IF EXISTS "+name)
	scratch(t, mysql, "CREATE DATABASE "+name, "DROP DATABASE "+name, "DROP USER IF EXISTS "+name)
	runScripts(t, "testdata/services", vars...)
}

// service is the address of a server of the testbed.
func service(t *testing.T, variable string) string {
	t.Helper()
	if os.Getenv(variable) == "" {
		t.Fatalf("%s is not set: run deploy/testbed/testbed up, then source its env", variable)
	}
	return os.Getenv(variable)
}

func host(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func inDatabase(t *testing.T, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// scratch runs a statement now, and others when the test has ended.
func scratch(t *testing.T, address, now string, after ...string) {
	t.Helper()
	run := func(statement string) {
		if err := execute(address, statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
	run(now)
	t.Cleanup(func() {
		for _, statement := range after {
			run(statement)
		}
	})
}

func makeTopic(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: topic NAME PARTITIONS [SETTING=VALUE…]")
	}
	partitions, err := strconv.Atoi(args[1])
	ts.Check(err)
	request := kafka.TopicConfig{Topic: args[0], NumPartitions: partitions, ReplicationFactor: 1}
	for _, setting := range args[2:] {
		name, value, _ := strings.Cut(setting, "=")
		request.ConfigEntries = append(request.ConfigEntries, kafka.ConfigEntry{ConfigName: name, ConfigValue: value})
	}
	c := &kafka.Client{Addr: kafka.TCP(os.Getenv("DATONG_TEST_KAFKA")), Timeout: 10 * time.Second}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	res, err := c.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{request}})
	ts.Check(err)
	ts.Check(res.Errors[args[0]])
}
