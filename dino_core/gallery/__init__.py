"""A gallery is a folder of many pictures: their features, thumbnails, maps, clusters and probes.

options      how it is made
state        how far it is, and who is at work on it
folder       its files, and requests for more of them              (imports no torch)
stopping     its process asked to stop, by a kill or by Ctrl-C
sources      what a person names as their pictures
files        arrays that others read while they are written
build        the process that fills it: embedding, then maps, clusters, probes, requests
embedding    features, thumbnails and digests of all pictures
rows         features that are too many to be held
listing      what the pictures are called
tiles        thumbnails one by one
neighbours   the graph of a large gallery
projection   its features as maps that fit onto each other
clusters     HDBSCAN's clusters
probes       accuracy by layer
"""
