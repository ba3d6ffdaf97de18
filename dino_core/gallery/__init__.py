"""Many pictures: their features, computed once and kept, and what can be made of them.

preparation  a picture as the model is to see it: size, fit, interpolation, normalisation
reading      files -> batches of one shape, decoded ahead of the forward
features     one forward -> what is kept of it
cache        what is computed stays computed: one SQLite database a model and preparation
embedding    pictures -> cls, mean-patch and per-layer features, resumable
tables       features -> Parquet or NPZ, in slices
evaluation   k-NN, logistic regression, linear: train on A, test on B
linear       the grid of linear classifiers of the official evaluation
sources      what a person names as their pictures
files        small files that others read while they are written
folder       a gallery is a folder: its files, its state, its wishes      (imports no torch)
maps         its features as maps that fit onto each other
groups       its clusters, neighbours, odd ones and doubles
build        the process that fills it: features and thumbnails
mapping      and then maps, clusters, probes, wishes
command      the commands embed, evaluate and gallery                     (imports no torch)
"""
