"""Streams of classes: random patterns, class after class, once each."""
