"""What lives in memory: models, open pictures, pairs of student and teacher, the UMAP worker."""
