"""Stateful machines: what may happen in any order, against laws that always hold."""
