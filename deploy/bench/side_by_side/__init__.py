"""Slipway's boot services beside others, in turn, in one run on one machine."""
