"""Tests of POET."""
