package nodegroup

// lock takes the lock of the cluster for a command that changes its nodes or its
// spec, and reads the spec anew: another command may have changed it since.
func (g *NodeGroup) lock(command string) (unlock func(), err error) {
	if unlock, err = g.store.Lock(g.spec.Name, command); err != nil {
		return nil, err
	}
	spec, err := g.store.Spec(g.spec.Name)
	if err != nil {
		unlock()
		return nil, err
	}
	g.spec = spec
	return unlock, nil
}
