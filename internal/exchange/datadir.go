package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// dataDir is the directory in which a process keeps what is its own, beside the exchange's files.
type dataDir struct {
	dir  string
	held *os.File // the lock, while this process has it
}

func openDataDir(exchange string) (*dataDir, error) {
	d := &dataDir{dir: filepath.Join(exchange, ".datong")}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return nil, &connectors.Problem{
			Where: d.dir, Err: err,
			What: connectors.Text{Zh: "无法建立数据目录", En: "cannot make the data directory"},
			Try:  connectors.Text{Zh: "给运行本程序的用户写权限", En: "let the user that runs this program write there"},
		}
	}
	return d, nil
}

func (d *dataDir) path(name string) string { return filepath.Join(d.dir, name) }

// ErrHeld says that another process has the directory.
var ErrHeld error = connectors.Mark("another process has the exchange directory")

// holdPatience is how long a process that has the directory for one question only, or is about to announce itself, is
// waited for.
const (
	holdPatience = 5 * time.Second
	lockPoll     = 20 * time.Millisecond
)

// lock makes this process the only one on the directory. The system lets go of a lock whatever way a process ends.
func (d *dataDir) lock(ctx context.Context) error {
	// Who waits for the lock has the turn, so that many short commands do not keep a run out.
	turn, err := d.flock(ctx, "turn")
	if err != nil {
		return err
	}
	defer turn.Close()
	f, err := d.flock(ctx, "lock")
	if err != nil {
		return err
	}
	// Whoever left word has ended without taking it back.
	if err := os.Remove(d.path(addressFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.Close()
		return fmt.Errorf("remove where a former process answered: %w", err)
	}
	if err := errors.Join(f.Truncate(0), writeAt(f, strconv.Itoa(os.Getpid()))); err != nil {
		f.Close()
		return fmt.Errorf("write the lock of the data directory: %w", err)
	}
	d.held = f
	return d.emptyTemp()
}

// flock waits for the lock on a file, unless a process that runs the directory has it.
func (d *dataDir) flock(ctx context.Context, name string) (*os.File, error) {
	f, err := os.OpenFile(d.path(name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the data directory: %w", err)
	}
	for end := time.Now().Add(holdPatience); ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock the data directory: %w", err), f.Close())
		}
		if _, err := os.Stat(d.path(addressFile)); err == nil || time.Now().After(end) {
			f.Close()
			return nil, d.refused()
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-time.After(lockPoll):
		}
	}
}

func (d *dataDir) refused() error {
	who, _ := os.ReadFile(d.path("lock")) // only for the message
	return &connectors.Problem{
		Where: d.dir, Err: ErrHeld,
		What: connectors.Text{
			Zh: fmt.Sprintf("另一个进程（%s）正在运行这个交换目录", who),
			En: fmt.Sprintf("another process (%s) runs this exchange directory", who),
		},
		Try: connectors.Text{Zh: "用 datong status 查看它，或先停止它", En: "look at it with datong status, or stop it first"},
	}
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

// emptyTemp removes what a process that was killed has left.
func (d *dataDir) emptyTemp() error {
	if err := os.RemoveAll(d.path("tmp")); err != nil {
		return fmt.Errorf("empty the temporary directory: %w", err)
	}
	if err := os.Mkdir(d.path("tmp"), 0o700); err != nil {
		return fmt.Errorf("make the temporary directory: %w", err)
	}
	return nil
}

func (d *dataDir) close() {
	if d.held == nil {
		return
	}
	os.Remove(d.path(addressFile))
	d.held.Close()
	d.held = nil
}

const addressFile = "run.json"

// Address is where a running process answers.
type Address struct {
	Addr  string `json:"addr"`
	PID   int    `json:"pid"`
	Token string `json:"token"` // what the process asks of whoever wants more than to look
}

// Announce writes where this process answers, so that the command line finds it. Only the same user can read it.
func (x *Exchange) Announce(a Address) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	draft := x.data.path(addressFile + ".new")
	if err := os.WriteFile(draft, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write where this process answers: %w", err)
	}
	if err := os.Rename(draft, x.data.path(addressFile)); err != nil {
		return fmt.Errorf("write where this process answers: %w", err)
	}
	return nil
}

// Find returns where the process that runs an exchange directory answers; false when none has left word. A process that
// was killed leaves its word behind: whoever asks there must be ready for silence.
func Find(dir string) (Address, bool, error) {
	var a Address
	path := filepath.Join(dir, ".datong", addressFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return a, false, nil
	}
	if err != nil {
		return a, false, &connectors.Problem{
			Where: path, Err: err,
			What: connectors.Text{Zh: "无法读取运行进程的地址", En: "cannot read where the running process answers"},
			Try:  connectors.Text{Zh: "以运行它的用户身份执行", En: "ask as the user that runs it"},
		}
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return a, false, fmt.Errorf("read %s: %w", path, err)
	}
	return a, true, nil
}
