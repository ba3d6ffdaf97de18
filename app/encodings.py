"""In which encodings a body may be sent to who asks for it."""

from collections.abc import Mapping


def accepted_encodings(
    headers: Mapping[str, str], known: tuple[str, ...] = ("br", "gzip")
) -> list[str]:
    """Those of the known encodings that a request accepts, in the order of `known`.

    "gzip;q=0, br" -> ["br"]; "*" stands for all that are not named.
    """
    weights: dict[str, float] = {}
    for part in headers.get("accept-encoding", "").lower().split(","):
        name, _, parameter = part.strip().partition(";")
        _, _, value = parameter.strip().partition("=")
        try:
            weights[name.strip()] = float(value) if value else 1.0
        except ValueError:
            weights[name.strip()] = 0.0
    other = weights.get("*", 0.0)
    return [name for name in known if weights.get(name, other) > 0]
