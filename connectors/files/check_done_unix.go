//go:build unix

package files

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

func writable(folder string) error {
	if err := unix.Access(folder, unix.W_OK|unix.X_OK); err != nil {
		return &fs.PathError{Op: "write to", Path: folder, Err: err}
	}
	return nil
}

// sameDisk says whether a file can be moved in one step.
func sameDisk(from, to string) error {
	var a, b unix.Stat_t
	if err := unix.Stat(from, &a); err != nil {
		return &fs.PathError{Op: "look at", Path: from, Err: err}
	}
	if err := unix.Stat(to, &b); err != nil {
		return &fs.PathError{Op: "look at", Path: to, Err: err}
	}
	if a.Dev != b.Dev {
		return &fs.PathError{Op: "move into", Path: to, Err: unix.EXDEV}
	}
	return nil
}
