"""Pictures -> features, streaming: computed once and kept.

preparation  a picture as the model is to see it: size, fit, interpolation, normalisation
reading      files -> batches of one shape, decoded ahead of the forward
features     batches -> what is kept of each forward
cache        what is computed stays computed: one SQLite database a model and preparation
embed        pictures -> class token, mean patch and per-layer features, resumable
parts        a set in parts, for several processes and killed jobs
explore      columns for tools that explore a table: a map, neighbours, thumbnails
tables       features -> Parquet or NPZ, in slices
"""
