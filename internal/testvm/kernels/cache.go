package kernels

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// A cache is the directory that keeps what was fetched. What is in it came there whole, by a rename, so that reading needs no lock.
type cache struct {
	dir  string
	lock *os.File // nil while this process does not hold it
}

// openCache finds the directory. It makes nothing.
func openCache() (*cache, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("where to keep kernels: %w; set XDG_CACHE_HOME", err)
	}
	return &cache{dir: filepath.Join(dir, "pinion")}, nil
}

func (c *cache) path(elem ...string) string {
	return filepath.Join(append([]string{c.dir}, elem...)...)
}

// acquire makes this process the only one that changes the cache, and removes what those before it left half done. It stays so until close.
func (c *cache) acquire(ctx context.Context, waiting func()) error {
	if c.lock != nil {
		return nil
	}
	if err := os.MkdirAll(c.path("tmp"), 0o755); err != nil {
		return err
	}
	lock, err := os.OpenFile(c.path("lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	for err = tryLock(lock); err == unix.EWOULDBLOCK; err = tryLock(lock) {
		waiting()
		waiting = func() {}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), lock.Close())
		case <-time.After(100 * time.Millisecond):
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("lock %s: %w", lock.Name(), err), lock.Close())
	}
	c.lock = lock
	return c.clean()
}

func tryLock(f *os.File) error {
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != unix.EINTR {
			return err
		}
	}
}

// clean removes what is half done.
func (c *cache) clean() error {
	entries, err := os.ReadDir(c.path("tmp"))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(c.path("tmp", entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// close lets others change the cache.
func (c *cache) close() {
	if c.lock != nil {
		c.lock.Close()
		c.lock = nil
	}
}

// build makes a directory of the cache: fill fills it under another name, so that it is there whole or not at all.
func (c *cache) build(target string, fill func(dir string) error) (err error) {
	dir, err := os.MkdirTemp(c.path("tmp"), "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	tree := filepath.Join(dir, "tree")
	if err := os.Mkdir(tree, 0o755); err != nil {
		return err
	}
	if err := fill(tree); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	if err := os.Rename(tree, target); err != nil && !errors.Is(err, os.ErrExist) { // who is there was built the same way
		return err
	}
	return nil
}

// note writes a small file of the cache, whole or not at all.
func (c *cache) note(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(c.path("tmp"), "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	written := filepath.Join(dir, "note")
	if err := os.WriteFile(written, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(written, file)
}
