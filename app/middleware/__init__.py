"""What surrounds every request: cookie, compression, static files, the first visit."""
