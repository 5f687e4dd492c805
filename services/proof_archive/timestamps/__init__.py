"""RFC 3161 timestamps over all checkpoints of a deployment: asked for, kept, joined to bundles, verified."""
