"""Findings on a scan or a result, as the panel shows them: one paragraph each, the worst first."""

from slicer.i18n import tr as _

_ORDER = ("error", "warning", "info")


def findingsText(findings) -> str:
    """Plain text, empty without findings.

    :param findings: engine findings, or (severity, message) pairs.
    """
    pairs = [pair if isinstance(pair, tuple) else (pair.severity, pair.message) for pair in findings]
    prefixes = {"error": _("Cannot be segmented:"), "warning": _("Please note:"), "info": _("For information:")}
    pairs.sort(key=lambda pair: _ORDER.index(pair[0]))
    return "\n".join(f"{prefixes[severity]} {message}" for severity, message in pairs)
