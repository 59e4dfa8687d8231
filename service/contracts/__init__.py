"""Technology contracts: terms, amounts, changes, registration, subsidies, settlement."""
