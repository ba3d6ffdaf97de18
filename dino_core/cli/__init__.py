"""The command line: a file for each family of commands.

    pictures    features, attention, pca: what a model makes of pictures
    views       similar, match, clusters                token_views  rollout, norms, tokens
    films       film: through all layers                families  grid, compare: several models
    videos      video: frames of a film, and tracking
    pages       webpage: a picture as one HTML file
    sampling    crops, masks: what training makes of them
    losses      what student and teacher say of one
    models      which there are
    training    train, finetune, predict, runs          heads   the heads of a pair
    gallery     embed, evaluate, gallery: many pictures
    export      a checkpoint for another library

    main        parses, runs, and ends in a sentence and an exit code
    command     how a function becomes a command        outputs   where results go
    files       what commands about pictures share      features  what those about many share

Nothing is computed here: every command reads, asks the library, and writes. Whatever takes time
to import, torch above all, is imported by the functions that need it: `--help` answers at once.
"""
