"""What is known of consent forms by more than one service: how a French label accepts, refuses, or puts pressure."""
