"""Indicators (技术指标): figures of a text with quantity, bound, unit and condition, and how one side's answer the other's."""
