"""`python -m app`: the page on this machine.

The port opens before torch is imported: models load behind the page.
"""

import argparse
import os
import socket
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dino_core import interruption
from dino_core.account import ensure_account


def main(argv: Sequence[str] | None = None) -> int:
    """Serves the page until it is interrupted, and returns the exit code: 2 for a mistake."""
    parser = argparse.ArgumentParser(prog="python -m app", description=page.__doc__)
    page_options(parser.add_argument)
    try:
        page(parser.parse_args(argv))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def page_options(option: Callable[..., Any]) -> None:
    option("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    option("--port", type=int, default=7860, help="port to listen on (default: 7860)")
    option("--model", help="model to begin with, one of those that `models` lists")
    option("--weights", type=Path, help="a checkpoint of your own instead")
    option("--device", default="cpu", help="cpu, cuda or mps")
    option(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name that this server is known by, such as example.org; * for any",
    )
    option(
        "--allow-frame",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="a site that may embed the page, such as https://example.org; * for any",
    )
    option(
        "--root-path",
        default="",
        metavar="PATH",
        help="the path below which a proxy shows the page, such as /inside",
    )
    option(
        "--gallery",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="a gallery that the command `gallery` has made; everybody who comes may look at it",
    )
    option(
        "--allow-downloads",
        action="store_true",
        help="let visitors have official weights downloaded; at this machine they always may",
    )
    option(
        "--mcp",
        action="store_true",
        help="also serve the views as tools of the Model Context Protocol, to this machine alone",
    )


def page(args: argparse.Namespace) -> None:
    """Open the page on this machine.

    ValueError for a model or file that is not there, and where Gradio is not installed.
    """
    set_environment()
    check_address(args.host, args.port)
    if args.device != "cpu":
        from dino_core.scenes.models import check_device

        check_device(args.device)
    if find_spec("gradio") is None:
        raise ValueError("The page needs Gradio: pip install 'inside-dinov2[app]' brings it.")

    if args.mcp:
        check_mcp(args)

    import uvicorn

    from app.gradio_import import import_gradio

    import_gradio()
    from app.middleware.protection import Access
    from app.server import build_server

    access = Access(args.host, tuple(args.allow_host), tuple(args.allow_frame))
    server = build_server(
        args.model,
        args.weights,
        args.device,
        port=args.port,
        access=access,
        allow_downloads=args.allow_downloads or None,
        root_path=args.root_path,
        galleries=args.gallery,
        mcp=args.mcp,
    )
    print(f"Inside DINOv2 opens on http://{args.host}:{args.port}", flush=True)
    if args.mcp:
        print(f"Tools (MCP): http://{args.host}:{args.port}/gradio_api/mcp/", flush=True)
    interruption.cease()
    uvicorn.run(
        server,
        host=args.host,
        port=args.port,
        log_level="warning",
        timeout_graceful_shutdown=2,  # open event streams would hold it for ever
    )


def check_mcp(args: argparse.Namespace) -> None:
    """ValueError where the tools would be served to others, or what serves them is missing."""
    from app.middleware.protection import Access

    if not Access(args.host, tuple(args.allow_host)).is_local or args.root_path:
        raise ValueError(
            "--mcp serves tools to this machine alone: leave --host, --allow-host and --root-path "
            "out, or --mcp."
        )
    if find_spec("mcp") is None:
        raise ValueError(
            "--mcp needs one more package: pip install 'inside-dinov2[mcp]' brings it."
        )


def check_address(host: str, port: int) -> None:
    """ValueError in a sentence unless this machine can listen there: before anything is started."""
    if not 1 <= port <= 65535:
        raise ValueError(f"A port is a number from 1 to 65535, not {port}.")
    try:
        family, kind, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            if os.name == "posix":  # elsewhere it would take a port that is in use
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(place)
    except socket.gaierror:
        raise ValueError(f"{host} is no address of this machine: leave --host out.") from None
    except OSError as error:
        raise ValueError(
            f"The page cannot listen on {host}, port {port} ({error.strerror}): choose another "
            f"--port, or stop what listens there."
        ) from None


def set_environment() -> None:
    """What the libraries read when they are loaded, and what processes of this one inherit.

    A page shares its few processor cores with the browser that looks at it. Threads that wait by
    spinning take the core from whoever they wait for: a forward that others disturb then takes five
    times as long as one whose threads sleep.
    """
    ensure_account()
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy and SciPy only; PyTorch has its own


if __name__ == "__main__":
    sys.exit(main())
