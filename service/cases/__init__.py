"""Cases (对接): what follows when a broker accepted a pair, up to the contract and its follow-up."""
