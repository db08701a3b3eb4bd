"""Training: data, degradation, losses, one flat loop, export. Needs the extra `vidgen[train]`."""
