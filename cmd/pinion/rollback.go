package main

import (
	"errors"
	"flag"

	"github.com/pinion-bpf/pinion/pinning"
)

// keepOldFlag defines the flag that keeps what is replaced.
func keepOldFlag(flags *flag.FlagSet, opts *pinning.UpgradeOptions) {
	flags.BoolVar(&opts.KeepOld, "keep-old", false, "keep the maps and programs of what is replaced, so that pinion rollback can go back to it")
}

// rollback goes back to the generation that an upgrade kept.
func rollback(c *call) error {
	flags, opts := c.flags(), &pinning.Options{Upgrade: new(pinning.UpgradeOptions)}
	keepOldFlag(flags, opts.Upgrade)
	waitFlag(flags, opts)
	names, err := c.parse(flags, 1, 1)
	if err != nil {
		return err
	}
	root, err := c.openRoot()
	if err != nil {
		return err
	}
	defer root.Close()
	var did *pinning.UpgradePlan
	opts.Upgrade.Did = func(plan *pinning.UpgradePlan) { did = plan }
	obj, err := root.Rollback(names[0], opts)
	if err != nil {
		return err
	}
	return errors.Join(c.showUpgrade(did, stateRolledBack, nil, opts), obj.Close())
}
