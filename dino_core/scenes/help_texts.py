"""What a person is told about a choice: the comment beside it in `dino_core/config.py`."""

import inspect
import re

# `    name: type = default  # what it is`
_FIELD = re.compile(r"^    (\w+):[^#\n]*#\s*(.+)$", re.MULTILINE)


def field_comments(config: type) -> dict[str, str]:
    """Field -> comment of a configuration's dataclass; fields without a comment are left out."""
    try:
        source = inspect.getsource(config)
    except OSError:  # installed without its source
        return {}
    return dict(_FIELD.findall(source))
