"""Arithmetic: arrays and plain values in, arrays and plain values out. No files, no network."""
