"""The report: runs told on one self-contained page, as a table for LaTeX, and printed."""
