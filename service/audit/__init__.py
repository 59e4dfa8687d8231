"""The audit trail: reading it, checking its chain, exporting it, and letting go of what is past its time."""
