"""Tests of environments that evolved."""
