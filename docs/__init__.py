"""The documentation: pages, and in `generator/` what makes a site of them."""
