"""Where tensors can be."""

import torch


def check_device(device: torch.device | str) -> None:
    """ValueError in a sentence unless tensors can be made there."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        usable = ["cpu"]
        if torch.cuda.is_available():
            usable.append("cuda")
        if torch.backends.mps.is_available():
            usable.append("mps")
        raise ValueError(
            f"The device {str(device)!r} cannot be used on this machine: choose "
            f"{' or '.join(usable)}."
        ) from error
