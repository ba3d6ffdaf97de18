"""Numbers in, numbers out: what can be read off one forward of the backbone.

inspection   picture -> everything the views look up, from one forward
tokens       filters, positions, norms of the stream and their outliers
attention    rows of any query, rollout, entropy and mean distance per head
outliers     which values stand out
compact      queries and keys as small integers
pca          patch features -> principal components, foreground, colours
similarity   cosine similarity, best matches between two pictures
propagation  labels carried from the first frame of a film to the others
clustering   k-means, HDBSCAN
alignment    colours that stay: layers, sizes, checkpoints, models in one basis, one foreground
depth        the layers of one model as such a family
comparison   CKA between layers and models, components in one order and sign
side_by_side which patches of two pictures match; one picture in two models or layers
projection   PCA, t-SNE and UMAP in two dimensions, and maps laid over each other
neighbours   exact nearest neighbours, outliers, near-duplicates
approximate  the same for too many to compare all pairs: an index, and its measured recall
"""
