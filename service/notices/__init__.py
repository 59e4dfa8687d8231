"""Who is told of which event, in what words, and by which way."""
