"""Programs that prove the suite: not part of the service, nor of the normal test run."""
