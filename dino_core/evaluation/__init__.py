"""How good are the features?

knn             votes of the nearest neighbours
logistic        multinomial logistic regression, all folds at once
linear          the grid of linear classifiers of the official evaluation
protocols       train on A, test on B, by any of the three
folds           who learns and who is judged
probes          every picture judged by classifiers that have not seen it
reports         accuracy with its interval, confusions, mistakes
patch_knn       votes of patches for the class of their picture
piece_knn       votes of pieces for the picture that they were cut from: where there are no classes
patch_matching  patches found again in another view
held_out        what the heads answer for pictures they were not trained on
"""
