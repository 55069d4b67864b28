"""`make gpu`: what holds and what is reached on this machine's GPU."""
