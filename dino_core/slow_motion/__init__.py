"""One training step in slow motion: the real one, run once, and what its lines leave behind.

lines      the source of functions, as it lies in the file that runs
values     what a name holds, in few numbers
recorder   runs a function and writes down what each line leaves behind
gradients  how much each loss has in the gradients of each layer
recorded   a `train_step`, recorded
session    a copy of a pair, a picture and its companions: one step after the other

    session = Session(pair, config, [picture, *companions])
    recorded = session.step()
    recorded.gradients.shares          # [layers, terms] rows add up to 1
    recorded.visits[0].values          # what train_step was given
"""

from dino_core.slow_motion.gradients import LossGradients
from dino_core.slow_motion.recorded import Movement, RecordedStep, record_step
from dino_core.slow_motion.recorder import Recorder, Visit
from dino_core.slow_motion.session import TARGETS, Choices, Drawn, Session, draw_batch
from dino_core.slow_motion.values import Value

__all__ = [
    "TARGETS",
    "Choices",
    "Drawn",
    "LossGradients",
    "Movement",
    "RecordedStep",
    "Recorder",
    "Session",
    "Value",
    "Visit",
    "draw_batch",
    "record_step",
]
