"""Model bundles: a folder with ``metadata.json`` and the weights of both passes in half precision.

``metadata.json`` (format 1)::

    format 1, name, version
    network      {architecture: "table1", width, input_channels: 3 (5 for a lesion pass that sees neighbours: given by
                 pass then), decoders: passes whose network has a decoder}
    window_hu    [low, high], scaled to [0, 1]
    liver_pass   {size, pixel_mm (null: slices are scaled whatever their pixels measure), threshold}
    lesion_pass  {size, margin, iterations, liver_threshold, lesion_threshold, liver_hu (HU that the liver's median is
                 shifted to; null or absent: not shifted), neighbour_mm (how far away the slices below and above lie
                 that it sees as well; null or absent: it sees none)}
    lesion_filter  {intercept, log_odds, reject_below} of `lesion_filter.LesionFilter`, or absent: no lesion is rejected
    weights      {file, sha256}
    training, validation, intended_use, limitations, license, attribution, citations: for people
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BundleError
from ..files import json_object, write_atomically
from ..resources import RESOURCES
from .bundle_settings import check_settings
from .lesion_filter import LesionFilter
from .model_settings import PASSES, ModelSettings
from .tensor_file import read_tensors

if TYPE_CHECKING:
    import torch

    from .network import CascadeResNet

FORMAT = 1
METADATA_FILE = "metadata.json"
WEIGHTS_FILE = "weights.pt"

#: Where the extension's bundles are shipped.
BUNDLES_FOLDER = RESOURCES / "Bundles"


@dataclass
class ModelBundle:
    """A bundle whose hash has been verified.

    Attributes:
        folder: Where it was read from.
        metadata: The whole of ``metadata.json``.
    """

    folder: Path
    metadata: dict[str, Any]
    settings: ModelSettings
    lesion_filter: LesionFilter | None
    _weights: bytes

    @property
    def name(self) -> str:
        return str(self.metadata["name"])

    @property
    def version(self) -> str:
        return str(self.metadata["version"])

    @classmethod
    def load(cls, folder: Path | str) -> ModelBundle:
        """Reads a bundle and verifies its weights; no torch is needed yet.

        Raises:
            BundleError: If a file is missing, the metadata is wrong or the weights are not those that it names.
        """
        folder = Path(folder)
        path = folder / METADATA_FILE
        if not os.path.isfile(path):
            raise BundleError(f"{folder} is not a model bundle (it has no {METADATA_FILE}): choose a bundle's folder")
        try:
            metadata = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise BundleError(f"{path} cannot be read ({error}): get the bundle again") from error
        if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
            raise BundleError(f"{path} is not of bundle format {FORMAT}: update the extension, or use another bundle")
        unknown = f"{path} describes an unknown network: update the extension, or use another bundle"
        network = metadata.get("network")
        if isinstance(network, dict) and network.get("architecture") != "table1":
            raise BundleError(unknown)
        check_settings(metadata, str(path))
        try:
            settings = ModelSettings.of_metadata(metadata)
            known = LesionFilter.from_dict(metadata["lesion_filter"]) if metadata.get("lesion_filter") else None
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"{path} is incomplete or wrong ({error}): get the bundle again") from error
        # One number for both passes, in bundles from before one of them saw neighbours.
        said, channels = metadata["network"].get("input_channels"), settings.input_channels
        if said != channels and not said == channels["lesion"] == 3:
            raise BundleError(unknown)
        name, expected = metadata["weights"]["file"], metadata["weights"]["sha256"]
        if not name or Path(name).name != name or not name.isprintable():
            raise BundleError(f"{path} names weights that are no file of its folder ({name!r}): do not use this bundle")
        try:
            weights = (folder / name).read_bytes()
        except OSError as error:
            raise BundleError(f"The weights {folder / name} cannot be read: get the bundle again") from error
        found = hashlib.sha256(weights).hexdigest()
        if found != expected:
            raise BundleError(
                f"The weights {folder / name} are damaged or altered (SHA-256 {found[:12]}... instead of "
                f"{expected[:12]}...): get the bundle again"
            )
        return cls(folder, metadata, settings, known, weights)

    @property
    def width(self) -> float:
        return self.settings.width

    @classmethod
    def of(cls, folder: Path | str | None) -> ModelBundle:
        """The bundle in a folder, the shipped one for None or "". Raises BundleError."""
        return cls.load(folder) if folder else cls.shipped()

    @classmethod
    def shipped(cls) -> ModelBundle:
        """The bundle that comes with the extension.

        Raises:
            BundleError: If it is missing or damaged.
        """
        folders = sorted(path.parent for path in BUNDLES_FOLDER.glob(f"*/{METADATA_FILE}"))
        if len(folders) != 1:
            raise BundleError(
                f"{BUNDLES_FOLDER} should hold one bundle, not {len(folders)}: install the extension again"
            )
        return cls.load(folders[0])

    def networks(self, device: torch.device) -> dict[str, CascadeResNet]:
        """The networks of both passes (``liver``, ``lesion``) on a device, ready to predict.

        Raises:
            BundleError: If the weights hold anything but tensors, or not those of the network.
        """
        try:
            weights = read_tensors(io.BytesIO(self._weights))
        except ValueError as error:
            raise BundleError(
                f"The weights in {self.folder} hold something other than tensors and were not loaded: "
                "do not use this bundle"
            ) from error
        networks = {}
        for name in PASSES:
            network = self.settings.network(name)
            try:
                network.load_state_dict({key: value.float() for key, value in weights[name].items()}, strict=True)
            except (KeyError, TypeError, AttributeError, RuntimeError) as error:
                reason = str(error).strip().splitlines()[0]
                raise BundleError(
                    f"The weights in {self.folder} do not fit the {name} pass ({reason}): get the bundle again"
                ) from error
            _require_numbers(network, name, self.folder)
            networks[name] = network.placed(device).eval().requires_grad_(False)
        return networks


def trained_on(metadata: dict[str, Any]) -> set[str]:
    """Names of the scans that a bundle's networks have seen, or those that they started from.

    Somebody else's bundle may say anything there.
    """
    training = metadata.get("training") or {}
    started = training.get("started_from")
    starts = [start for start in started.values() if isinstance(start, dict)] if isinstance(started, dict) else []
    lists = [training.get("single_slice_scans"), *(each.get("scans") for each in (training, *starts))]
    return {str(name) for names in lists if isinstance(names, list) for name in names}


def _require_numbers(network: CascadeResNet, name: str, folder: Path) -> None:
    """Raises BundleError where a weight is NaN, infinite, or a variance that is negative."""
    import torch

    for key, value in network.state_dict().items():
        if not torch.isfinite(value).all() or (key.endswith("running_var") and bool((value < 0).any())):
            raise BundleError(
                f"The weights in {folder} are damaged: {key} of the {name} pass holds values that are no numbers: get "
                "the bundle again"
            )


def save_bundle(
    folder: Path, networks: dict[str, CascadeResNet], metadata: dict[str, Any], kept: Sequence[str] = ()
) -> list[str]:
    """Writes a bundle; convolutions in half precision, normalisation in single.

    Returns those of ``kept`` that an earlier bundle in the folder had and this one has not.

    Args:
        folder: The bundle's folder; made, or its files replaced: at every moment it is a bundle, the old or the new.
        networks: ``liver`` and ``lesion``.
        metadata: As in the module's docstring; ``format``, ``network`` and ``weights`` are filled in.
        kept: Entries that an earlier bundle in the folder passes on where weights and settings are the same.
    """
    import torch

    states = {}
    for name in PASSES:
        norms = {key for key, module in networks[name].named_modules() if isinstance(module, torch.nn.BatchNorm2d)}
        states[name] = {
            key: value.detach().cpu().to(torch.float32 if key.rsplit(".", 1)[0] in norms else torch.float16)
            for key, value in networks[name].state_dict().items()
        }
    buffer = io.BytesIO()
    torch.save(states, buffer)
    weights = buffer.getvalue()
    digest = hashlib.sha256(weights).hexdigest()
    # An earlier bundle in the folder is whole until its metadata are replaced: they name its weights or the new ones.
    earlier = folder / WEIGHTS_FILE
    replaces = earlier.exists() and hashlib.sha256(earlier.read_bytes()).hexdigest() != digest
    weights_file = f"weights-{digest[:8]}.pt" if replaces else WEIGHTS_FILE
    before = json_object(folder / METADATA_FILE)
    complete = {
        "format": FORMAT,
        **metadata,
        "network": {
            "architecture": "table1",
            "width": networks["liver"].width,
            "input_channels": {name: networks[name].stem.in_channels for name in PASSES},
            "decoders": [name for name in PASSES if networks[name].decoder is not None],
        },
        "weights": {"file": weights_file, "sha256": digest},
    }
    same = isinstance(before.get("weights"), dict) and before["weights"].get("sha256") == digest
    decisive = ("network", "window_hu", "liver_pass", "lesion_pass")
    # As JSON has them: a tuple becomes a list there.
    if same and all(before.get(key) == json.loads(json.dumps(complete.get(key))) for key in decisive):
        complete |= {key: before[key] for key in kept if key in before}
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / weights_file, weights)
    write_atomically(folder / METADATA_FILE, (json.dumps(complete, indent=2, ensure_ascii=False) + "\n").encode())
    for other in (*folder.glob("weights*.pt"), *folder.glob(".writing-*")):  # and what a killed export was writing
        if other.name != weights_file:
            with contextlib.suppress(OSError):  # it takes space, and hinders nobody
                other.unlink()
    return [key for key in kept if key in before and key not in complete]
