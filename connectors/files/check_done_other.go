//go:build !unix

package files

// writable and sameDisk cannot tell here; a move that fails is logged.

func writable(string) error { return nil }

func sameDisk(string, string) error { return nil }
