"""Capture, engine, dispatch, store, inference, rules: owns time, addresses, memory and disk."""
