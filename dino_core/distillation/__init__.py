"""Distillation: a small student learns what a frozen teacher says of pictures.

    setup      what was asked for -> what a distillation is made of, checked
    views      step -> crops for student and teacher: the same part of the same picture
    answers    what the teacher says of crops, asked once and kept by content and crop
    student    the student with its linear maps, and what it costs not to agree
    features   the light recipe: resumed bit for bit, milestones, several processes
    heads      the recipe of the released models: the losses of training, under a frozen teacher
    run        starts a run by either recipe, or goes on with one
    verdict    what the lines of a run by features say, in a sentence
    likeness   the chosen pictures at a milestone, in the teacher's colours

Each of the files imports only those above it, `run` apart.
"""
