"""The world: what tasks ask, which of them evolution may see, and which are held out."""
