"""The verb `lineage`."""
