package kernels

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// apt is a state of apt's own for the suites of the matrix, beside the machine's. The machine's configuration is read before it, as that may
// name a proxy, and its mirrors are used.
type apt struct {
	dir  string // has the state and its configuration
	arch string // as Debian names it
	said string // what the last update complained of
}

// keyring is what every list has to be signed with. apt refuses those that are not.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// helper downloads single files as apt does, and unpacks apt's lists.
const helper = "/usr/lib/apt/apt-helper"

// errNoApt says what a machine without apt can do.
var errNoApt = errors.New("kernels are Debian packages, which apt finds, checks and downloads, and there is no apt here: use a machine or a container with Debian")

// usable says what is missing for apt to work.
func usable() error {
	for _, program := range []string{"apt-get", "dpkg-deb", helper} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%w (%s is missing)", errNoApt, program)
		}
	}
	if _, err := os.Stat(keyring); err != nil {
		return fmt.Errorf("nothing could be checked without Debian's keys: install debian-archive-keyring (%w)", err)
	}
	return nil
}

// mirrors are where the machine's apt has Debian from.
type mirrors struct{ main, security string }

// parseMirrors reads what apt-get indextargets prints: release and address of each list that the machine uses. known are the suites of the matrix; Debian's
// are told from others' by their names.
func parseMirrors(targets string, known []string) (mirrors, error) {
	known = slices.Concat([]string{"stable", "oldstable", "oldoldstable", "testing", "unstable"}, known)
	var m mirrors
	for _, row := range strings.Split(targets, "\n") {
		release, address, _ := strings.Cut(row, " ")
		base, _, _ := strings.Cut(strings.TrimSuffix(release, "/updates"), "-")
		switch isDebian := slices.Contains(known, base); {
		case !isDebian || address == "":
		case strings.HasSuffix(release, "-security") && m.security == "":
			m.security = address
		case !strings.HasSuffix(release, "-security") && m.main == "":
			m.main = address
		}
	}
	if m.main == "" {
		return m, errors.New("the machine's apt uses no mirror of Debian: see apt-get indextargets, and add one in /etc/apt/sources.list.d")
	}
	if m.security == "" { // those who follow testing have none
		m.security = strings.TrimSuffix(strings.TrimRight(m.main, "/"), "/debian") + "/debian-security"
	}
	return m, nil
}

// sources gives the text of a sources.list for suites. Of each it takes the packages' index alone.
func (m mirrors) sources(suites []string) string {
	var text strings.Builder
	for _, suite := range suites {
		mirror := m.main
		if strings.HasSuffix(suite, "-security") {
			mirror = m.security
		}
		fmt.Fprintf(&text, "deb [signed-by=%s target=Packages] %s %s main\n", keyring, mirror, suite)
	}
	return text.String()
}

// configure writes what apt needs to know. It has to be done again when the machine's mirrors may have changed.
func (a *apt) configure(ctx context.Context, suites []string) error {
	if err := usable(); err != nil {
		return err
	}
	targets, err := output(exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"))
	if err != nil {
		return err
	}
	m, err := parseMirrors(string(targets), suites)
	if err != nil {
		return err
	}
	for _, dir := range []string{"state", "lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(a.dir, dir), 0o755); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{"sources.list": m.sources(suites), "state/status": "", "apt.conf": a.config()} {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// config gives the text of the configuration. Root's apt would give up root, and then could not write here.
func (a *apt) config() string {
	return strings.ReplaceAll(`
Dir::State "$DIR/state";
Dir::State::lists "$DIR/lists";
Dir::State::status "$DIR/state/status";
Dir::Cache "$DIR/cache";
Dir::Etc::sourcelist "$DIR/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "`+a.arch+`";
#clear APT::Architectures;
APT::Architectures { "`+a.arch+`"; };
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`, "$DIR", a.dir)
}

// command makes a call of one of apt's programs with the state and configuration of its own.
func (a *apt) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, program, append([]string{"-c", filepath.Join(a.dir, "apt.conf")}, args...)...)
}

// stamp is a file as old as the lists.
func (a *apt) stamp() string { return filepath.Join(a.dir, "updated") }

// age tells how old the lists are, very old if there are none.
func (a *apt) age() time.Duration {
	info, err := os.Stat(a.stamp())
	if err != nil {
		return 1 << 62
	}
	return time.Since(info.ModTime())
}

// update fetches the lists. A suite that cannot be fetched does not hinder the others: what apt said is kept, for when a kernel is not found.
func (a *apt) update(ctx context.Context) error {
	// apt needs no cache of all packages here, which takes it 8 seconds. It exits with 0 when the network is down.
	update := a.command(ctx, "apt-get", "-qq", "-o", "pkgCacheFile::Generate=false", "update")
	var said bytes.Buffer
	update.Stderr = &said
	_, err := output(update)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	a.said = complaints(said.String())
	if lists, _ := filepath.Glob(filepath.Join(a.dir, "lists", "*_Packages*")); len(lists) == 0 {
		return fmt.Errorf("no package list could be fetched, check the network and the mirror: %s", a.said)
	}
	if err != nil || strings.Contains(a.said, "Failed to fetch") {
		return nil // no stamp: the next run tries again
	}
	return os.WriteFile(a.stamp(), nil, 0o644)
}

// packages reads the lists of the suites, and gives the packages that keep tells by name.
func (a *apt) packages(ctx context.Context, keep func(name string) bool) ([]pkg, error) {
	targets, err := output(a.command(ctx, "apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI) $(FILENAME)", "Created-By: Packages"))
	if err != nil {
		return nil, err
	}
	var all []pkg
	for _, row := range strings.Split(strings.TrimSpace(string(targets)), "\n") {
		words := strings.SplitN(row, " ", 3)
		if len(words) != 3 {
			continue
		}
		found, err := a.read(ctx, words[0], words[1], words[2], keep)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// read reads one list, however apt has compressed it.
func (a *apt) read(ctx context.Context, suite, base, list string, keep func(string) bool) ([]pkg, error) {
	if _, err := os.Stat(list); err != nil {
		return nil, nil // it could not be fetched, which update has said
	}
	cat := a.command(ctx, helper, "cat-file", list)
	var said bytes.Buffer
	cat.Stderr = &said
	text, err := cat.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cat.Start(); err != nil {
		return nil, err
	}
	found, err := parseIndex(text, suite, base, keep)
	_, drained := io.Copy(io.Discard, text)
	if waited := cat.Wait(); waited != nil {
		waited = fmt.Errorf("%w: %s", waited, said.Bytes())
		return nil, fmt.Errorf("read package list %s: %w", list, waited)
	}
	return found, errors.Join(err, drained)
}

// download fetches packages into dir and gives the files. apt compares each with the hash that the signed list has of it.
func (a *apt) download(ctx context.Context, packages []pkg, dir string) ([]string, error) {
	args := []string{"download-file"}
	var files []string
	for _, p := range packages {
		file := filepath.Join(dir, p.name+".deb")
		args = append(args, p.url, file, "SHA256:"+p.sha256)
		files = append(files, file)
	}
	_, err := output(a.command(ctx, helper, args...))
	return files, err
}

// output runs a command and gives what it printed. The error has what it said, without the noise of apt's progress.
func output(cmd *exec.Cmd) ([]byte, error) {
	var out, said bytes.Buffer
	cmd.Stdout = &out
	if cmd.Stderr == nil {
		cmd.Stderr = &said
	} else {
		cmd.Stderr = io.MultiWriter(&said, cmd.Stderr)
	}
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = 5 * time.Second // apt's methods hold its standard error open after it was killed
	if err := cmd.Run(); err != nil {
		if text := complaints(said.String()); text != "" {
			err = fmt.Errorf("%w: %s", err, text)
		}
		return nil, fmt.Errorf("%s: %w", filepath.Base(cmd.Path), err)
	}
	return out.Bytes(), nil
}

// complaints gives what apt marks as an error or a warning, else all that was said, in one line.
func complaints(said string) string {
	var marked, all []string
	for _, row := range strings.Split(strings.TrimSpace(said), "\n") {
		row = strings.TrimSpace(row)
		if strings.HasPrefix(row, "E: ") || strings.HasPrefix(row, "W: ") {
			marked = append(marked, row[len("E: "):])
		}
		if row != "" {
			all = append(all, row)
		}
	}
	if len(marked) > 0 {
		return strings.Join(marked, "; ")
	}
	return strings.Join(all, "; ")
}
