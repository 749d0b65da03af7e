"""``liver-lesion-cascade view``: a result's report or an archive's summary in the browser."""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from contextlib import suppress
from pathlib import Path

from ..engine.errors import InputError, OutputError, system_errors_as
from ..outputs.folder_server import LOOPBACK, FolderServer
from ..outputs.result_files import REPORT_FILE, SUMMARY_FILE
from .console import say, whole_number


def add_view_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of a result, or of an archive's results")
    parser.add_argument(
        "--port",
        type=whole_number("a port (0 to 65535)", 0, 65535),
        default=0,
        metavar="N",
        help="for an archive; default: any that is free",
    )
    parser.add_argument("--no-browser", action="store_true", help="say the address and open nothing")


def run_view(arguments: argparse.Namespace) -> int:
    """Run the command and return 0; an archive is shown until Ctrl-C.

    Raises:
        InputError: If the folder holds neither.
        OutputError: If the port is taken.
    """
    folder: Path = arguments.folder
    browser = not arguments.no_browser
    if os.path.isfile(folder / SUMMARY_FILE):
        return _serve(folder, arguments.port, browser)
    report = folder / REPORT_FILE
    if not os.path.isfile(report):
        raise InputError(
            f"{folder} holds no {REPORT_FILE} and no {SUMMARY_FILE}: give the folder that segment or archive wrote to"
        )
    address = report.resolve().as_uri()
    print(address, flush=True)
    if not (browser and _open_browser(address)):
        say(f"Open this address, or the file {report}, in a browser; it needs nothing else")
    return 0


def _serve(folder: Path, port: int, browser: bool) -> int:
    with system_errors_as(OutputError, f"Port {port} cannot be used", "choose another --port"):
        server = FolderServer(folder, port)
    with server:
        address = server.address(SUMMARY_FILE)
        print(address, flush=True)
        if not (browser and _open_browser(address)):
            say(
                "Open this address in a browser on this computer. From another one, first "
                f"ssh -L {server.server_port}:{LOOPBACK}:{server.server_port} to this one"
            )
        say("Ctrl-C ends this")
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


def _open_browser(address: str) -> bool:
    """Whether the desktop's browser, if there is one, shows an address."""
    # Without a desktop Python would start a browser in the terminal, which shows none of this.
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    return webbrowser.open(address)
