"""A gallery is a folder of many pictures: their features, thumbnails, maps, clusters and probes.

folder       its files, its state, its requests                     (imports no torch)
sources      what a person names as their pictures
files        small files that others read while they are written
build        the process that fills it: features and thumbnails
mapping      and then maps, clusters, probes, what is asked for
maps         its features as maps that fit onto each other
groups       its clusters, neighbours, odd ones and doubles
"""
