"""Which tasks evolution may see, and which are held out."""
