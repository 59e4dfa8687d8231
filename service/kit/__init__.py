"""What every room uses: database transactions, language, pages, entity tags, the job queue."""
