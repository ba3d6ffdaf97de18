"""What outlives the server: runs and galleries, who asked for them, and who waits."""
