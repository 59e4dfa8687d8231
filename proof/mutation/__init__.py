"""Remove each protection in turn, and see whether the suite notices (mutation analysis, DeMillo et al. 1978).

`guards` and `statements` find protections in the code, `database` those in the migrated schema: by enumeration, so that
a new policy or guard is a new mutant. `running` applies one mutant to a scratch copy or a scratch database and runs the
tests that should catch it. `harmless.toml` names mutants that cannot matter, with the reason.
"""
