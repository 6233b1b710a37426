//go:build services

package sqltable

import (
	"crypto/rand"
	"net/url"
	"strings"
	"testing"
)

func init() {
	places["PostgreSQL"] = placeMaker{postgresPlace, postgresElsewhere}
	places["MySQL"] = placeMaker{mysqlPlace, mysqlPlace}
}

// postgresPlace is a schema of its own.
func postgresPlace(t testing.TB) *place {
	t.Helper()
	address := serverURL(t, "DATONG_TEST_POSTGRES")
	schema := "Source_" + strings.ToLower(rand.Text()[:12])
	server := openPlace(t, address)
	server.exec(t, "CREATE SCHEMA "+server.Quote(schema))
	t.Cleanup(func() { server.exec(t, "DROP SCHEMA "+server.Quote(schema)+" CASCADE") })
	return openPlace(t, edit(t, address, func(u *url.URL) {
		q := u.Query()
		q.Set("search_path", server.Quote(schema))
		u.RawQuery = q.Encode()
	}))
}

// postgresElsewhere is a database of its own.
func postgresElsewhere(t testing.TB) *place {
	t.Helper()
	address := serverURL(t, "DATONG_TEST_POSTGRES")
	database := "source_" + strings.ToLower(rand.Text()[:12])
	server := openPlace(t, address)
	server.exec(t, "CREATE DATABASE "+database)
	t.Cleanup(func() { server.exec(t, "DROP DATABASE "+database+" WITH (FORCE)") })
	return openPlace(t, edit(t, address, func(u *url.URL) { u.Path = "/" + database }))
}

func mysqlPlace(t testing.TB) *place {
	t.Helper()
	address := serverURL(t, "DATONG_TEST_MYSQL")
	database := "source_" + strings.ToLower(rand.Text()[:12])
	server := openPlace(t, address)
	server.exec(t, "CREATE DATABASE "+database)
	t.Cleanup(func() { server.exec(t, "DROP DATABASE "+database) })
	return openPlace(t, edit(t, address, func(u *url.URL) { u.Path = "/" + database }))
}

func edit(t testing.TB, address string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	change(u)
	return u.String()
}
