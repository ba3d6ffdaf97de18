"""One file per screen: plain values in, a frozen dataclass of arrays and numbers out.

Scenes choose and arrange; every formula stands in a lower floor. Arrays are NumPy, ready to be
drawn or sent; everything else in a scene can be written as JSON.

    models      which models there are, and loading one
    picture     a file, a model and an input size -> the open picture, from one forward
    strip       the data's way as thumbnails
    crops       the crops of the picture and what was decided for each
    masks       the blocks of a mask, and the masks of a batch
    tokens      patches and filters, positions, and the walk through the blocks
    attention   queries and keys of a layer, the class token everywhere, numbers per head
    features    patch features as colours, as clusters, as a map
    whatif      before and after a change inside the model
    whatif_screening  every head and block changed, one at a time
    whatif_nearest  which pictures are nearest, before and after
    depth       all layers in colours that stay
    similarity  how alike all patches are to one
    matching    which patches of two pictures match
    comparison  two models or layers side by side
    umap_process  UMAP in a process of its own
    gallery     many pictures: names, thumbnails, maps
    gallery_parts  the same, in parts, of a large gallery
    gallery_similarity  their clusters, neighbours, like patches, outliers, duplicates
    gallery_probes  what classifiers read off each layer
    packing     scenes as bytes for a page, or as plain values for a program
"""
