# The two commands to know are `make demo` and `make test`; `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO ?= go
TESTBED := deploy/testbed/testbed
# Evaluated where a test runs: tells it where the servers are.
WITH_SERVERS = env=$$($(TESTBED) env) && eval "$$env"

# Packages tested at once. Each brings its own parallel tests, and the servers
# need the same cores.
P ?= $(shell n=$$(nproc); echo $$((n < 4 ? n : 4)))

# How long `make soak` fuzzes each target.
FUZZTIME ?= 1m

GOLANGCI_VERSION := 2.15.0
GOBIN_OF_USER := $(shell $(GO) env GOPATH)/bin
export PATH := $(CURDIR)/.tools/bin:$(PATH):$(GOBIN_OF_USER)

.NOTPARALLEL:
.PHONY: help demo test quick soak bench testbed compiler vet lint tidy build fmt tools clean

help: ## list the targets
	@sed -En 's/^([a-z]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 10

demo: ## three departments, one platform, nothing installed but Go (the first compile takes a minute or two)
	@echo "compiling; the first time takes a minute or two"
	$(GO) run ./cmd/datong demo

test: testbed compiler vet lint tidy build ## everything: real servers, linters, all tests with the race detector
	$(WITH_SERVERS) && $(GO) test -race -tags services -count=1 -p $(P) -timeout 20m ./...

quick: compiler ## the tests that need no server; says what it leaves out
	$(GO) test -race -p $(P) -timeout 10m ./...
	@echo 'Left out, because they need the servers of deploy/testbed (make test runs them):'
	@{ grep -rlE --include='*_test.go' '^//go:build .*\<services\>' . || true; } | \
	  xargs -r grep -HoE '^func (Test|Fuzz|Benchmark|Example)\w*' | \
	  sed -E 's|^\./(.*)/[^/]*:func |  \1: |' | sort

soak: testbed compiler ## the long crash tests: hundreds of thousands of rows, many kills; then every fuzz target for FUZZTIME
	$(WITH_SERVERS) && $(GO) test -race -tags 'services soak' -count=1 -p 1 -timeout 4h -v -run Soak ./...
	grep -rlE --include='*_test.go' '^func Fuzz' . | while read -r file; do \
	  for target in $$(sed -En 's/^func (Fuzz\w*)\(.*/\1/p' "$$file"); do \
	    echo "$$target of $$(dirname "$$file")"; \
	    $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")"; \
	  done; \
	done

bench: testbed ## measure speed and memory beside their limits
	$(WITH_SERVERS) && $(GO) run ./internal/bench

testbed: ## start Kafka, PostgreSQL and MariaDB and wait until they answer
	$(TESTBED) up

# Go's race detector needs it.
compiler:
	$(TESTBED) compiler

vet: ## go vet, with and without the build tags
	$(GO) vet ./...
	$(GO) vet -tags 'services soak faults' ./...

lint: tools ## golangci-lint with .golangci.yml
	golangci-lint run ./...

tidy: ## check that go.mod and go.sum say what the code needs
	$(GO) mod tidy -diff

build: ## bin/datong
	$(GO) build ./...
	$(GO) build -o bin/datong ./cmd/datong

fmt: tools ## format the Go code
	golangci-lint fmt ./...

# The linter at one version, because another finds other things: from the path,
# from where `go install` puts it, or else built here (some minutes, once).
tools:
	@if ! golangci-lint version 2>/dev/null | grep -qF 'version $(GOLANGCI_VERSION) '; then \
	  echo 'building golangci-lint $(GOLANGCI_VERSION) into .tools/bin'; \
	  GOBIN='$(CURDIR)/.tools/bin' $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(GOLANGCI_VERSION); \
	fi

clean: ## stop the servers, delete their data and what was built
	$(TESTBED) clean
	rm -rf bin .tools
