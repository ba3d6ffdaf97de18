"""How good are the features? k-NN, linear probes, patches found again, held-out agreement."""
