"""Makes the site of `make docs`: pages that are written, and pages read off the code."""
