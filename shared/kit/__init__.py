"""What the registry lets a data protection officer write down: the register of processing, the mention of a form. French, pure."""
