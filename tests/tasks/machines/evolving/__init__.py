"""Tests of meta-tasks that change."""
