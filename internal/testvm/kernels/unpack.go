package kernels

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// unpackKernel downloads the packages of a kernel and puts into dir what is needed of them: boot and lib/modules.
func (s *search) unpackKernel(ctx context.Context, set []pkg, release, dir string) error {
	s.say("kernels: downloading %v", set)
	scratch := filepath.Join(filepath.Dir(dir), "unpacked") // beside dir, and removed with it
	if err := s.unpack(ctx, set, scratch); err != nil {
		return err
	}
	if err := arrange(scratch, dir, release); err != nil {
		return fmt.Errorf("the packages %v hold no whole kernel: %w", set, err)
	}
	return s.index(ctx, dir, release)
}

// arrange moves a kernel from where its packages have it to where those of Debian 12 have it, which is what programs know: boot and lib/modules. From Linux 7.0
// on the image lies among the modules. lib is a link, as kmod looks into usr/lib.
func arrange(from, to, release string) error {
	modules := filepath.Join(to, "usr", "lib", "modules")
	boot := filepath.Join(to, "boot")
	if err := errors.Join(os.MkdirAll(modules, 0o755), os.Mkdir(boot, 0o755), os.Symlink("usr/lib", filepath.Join(to, "lib"))); err != nil {
		return err
	}
	tree := firstExisting(filepath.Join(from, "usr/lib/modules", release), filepath.Join(from, "lib/modules", release))
	if tree == "" {
		return errors.New("there are no modules")
	}
	if err := os.Rename(tree, filepath.Join(modules, release)); err != nil {
		return err
	}
	for _, name := range []string{"vmlinuz", "config", "System.map"} {
		target := filepath.Join(boot, name+"-"+release)
		source := firstExisting(filepath.Join(from, "boot", name+"-"+release), filepath.Join(modules, release, name))
		if source == "" && name == "System.map" {
			continue // nothing needs it
		}
		if source == "" {
			return fmt.Errorf("there is no %s", name)
		}
		if err := os.Rename(source, target); err != nil {
			return err
		}
	}
	return nil
}

// unpack downloads packages and unpacks them one over the other into dir.
func (s *search) unpack(ctx context.Context, set []pkg, dir string) error {
	archives := dir + ".debs"
	if err := os.MkdirAll(archives, 0o755); err != nil {
		return err
	}
	files, err := s.apt.download(ctx, set, archives)
	if err != nil {
		return err
	}
	for _, file := range files {
		if _, err := output(exec.CommandContext(ctx, "dpkg-deb", "-x", file, dir)); err != nil {
			return err
		}
	}
	return os.RemoveAll(archives)
}

// index makes modules.dep, which tells what modules need. Debian's packages make it when they are installed.
func (s *search) index(ctx context.Context, dir, release string) error {
	if existing(filepath.Join(dir, "lib", "modules", release, "modules.dep")) != "" {
		return nil
	}
	depmod, err := s.depmod(ctx)
	if err != nil {
		return err
	}
	_, err = output(exec.CommandContext(ctx, depmod, "-b", dir, release))
	return err
}
