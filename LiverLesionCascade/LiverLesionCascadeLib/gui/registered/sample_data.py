"""The sample CT in Slicer's Sample Data module: the same file that ``make segment`` fetches."""

import shutil
import sys
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from ...sample import IMAGE_FILE, PACKAGE, VERSION, Sample, fetch_sample

CATEGORY = "Liver Lesion Cascade"
SAMPLE_NAME = "Abdominal CT"
#: Soft tissue: 60 HU in the middle, as radiologists look at a liver.
WINDOW_HU = (-90, 210)


def registerSource(thumbnail):
    """Show the sample in the Sample Data module.

    :param thumbnail: path of the picture on its button.
    """
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=SAMPLE_NAME,
        thumbnailFileName=str(thumbnail),
        # No file to download lies behind this address: it says where the custom downloader gets the sample.
        uris=f"pkg:pypi/{PACKAGE}@{VERSION}",
        fileNames=IMAGE_FILE,
        nodeNames=SAMPLE_NAME,
        customDownloader=_download,  # a named function: Slicer knows the source again, and lists it once
    )


def _download(_source):
    loadSample()


def loadSample():
    """Load the sample CT and show it in the slice views; it is downloaded the first time. Returns the volume node.

    Raises InputError or OutputError, one clear sentence that has been shown, if that fails.
    """
    with slicer.util.tryWithErrorDisplay(_("The sample CT could not be loaded."), waitCursor=True):
        volumeNode = slicer.util.loadVolume(str(fetchSample().image), {"name": SAMPLE_NAME})
    displayNode = volumeNode.GetScalarVolumeDisplayNode()
    displayNode.AutoWindowLevelOff()
    displayNode.SetWindowLevelMinMax(*WINDOW_HU)
    return volumeNode


def fetchSample() -> Sample:
    """The sample's files in Slicer's cache, which the application settings can clear."""
    cache = Path(slicer.mrmlScene.GetCacheManager().GetRemoteCacheDirectory())
    # Within Slicer sys.executable can be Slicer itself.
    python = shutil.which("PythonSlicer") or sys.executable
    return fetch_sample(cache / "LiverLesionCascade", python)
