"""Distillation: a small student learns what a frozen teacher says of pictures.

setup      what was asked for -> what a distillation is made of, checked
views      step -> crops for student and teacher: the same part of the same picture
answers    what the teacher says of crops, asked once and kept by content and crop
student    the student with its linear maps, and what it costs not to agree
features   the run itself: resumed bit for bit, milestones, several processes
verdict    what the lines of such a run say, in a sentence
likeness   the chosen pictures at a milestone, in the teacher's colours
"""
