"""``liver-lesion-cascade view``: a result's report or an archive's summary in the browser."""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

from ..engine.errors import InputError, OutputError
from ..outputs.folder_server import LOOPBACK, FolderServer
from ..outputs.result_files import REPORT_FILE, SUMMARY_FILE
from .console import say


def add_view_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of a result, or of an archive's results")
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="for an archive; default: any that is free")
    parser.add_argument("--no-browser", action="store_true", help="say the address and open nothing")


def run_view(arguments: argparse.Namespace, open_browser: Callable[[str], bool] | None = None) -> int:
    """Run the command and return 0; an archive is shown until Ctrl-C.

    Args:
        open_browser: Opens an address and returns whether it could; by default the desktop's browser, if there is one.

    Raises:
        InputError: If the folder holds neither.
        OutputError: If the port is taken.
    """
    folder: Path = arguments.folder
    show = _nothing if arguments.no_browser else open_browser or _open_browser
    if (folder / SUMMARY_FILE).is_file():
        return _serve(folder, arguments.port, show)
    report = folder / REPORT_FILE
    if not report.is_file():
        raise InputError(
            f"{folder} holds no {REPORT_FILE} and no {SUMMARY_FILE}: give the folder that segment or archive wrote to"
        )
    address = report.resolve().as_uri()
    print(address, flush=True)
    if not show(address):
        say(f"Open this address, or the file {report}, in a browser; it needs nothing else")
    return 0


def _serve(folder: Path, port: int, show: Callable[[str], bool]) -> int:
    try:
        server = FolderServer(folder, port)
    except OSError as error:
        raise OutputError(f"Port {port} cannot be used ({error.strerror or error}): choose another --port") from error
    with server:
        address = server.address(SUMMARY_FILE)
        print(address, flush=True)
        if not show(address):
            say(
                "Open this address in a browser on this computer. From another one, first "
                f"ssh -L {server.server_port}:{LOOPBACK}:{server.server_port} to this one"
            )
        say("Ctrl-C ends this")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
    return 0


def _open_browser(address: str) -> bool:
    # Without a desktop Python would start a browser in the terminal, which shows none of this.
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    return webbrowser.open(address)


def _nothing(_address: str) -> bool:
    return False


def _port(text: str) -> int:
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return value
