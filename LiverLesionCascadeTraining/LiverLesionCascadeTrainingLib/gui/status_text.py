"""A training's status in plain words."""

from slicer.i18n import tr as _


def jobText(job) -> str:
    """What a job trains; a name that is not known here is shown as it is."""
    if job.startswith("liver-fold-"):
        return _("Liver network without part {number} of the patients").format(number=job.rpartition("-")[2])
    texts = {
        "liver": _("Liver network"),
        "lesion-image": _("Lesion network, from the image alone"),
        "lesion": _("Lesion network, with estimates and corrections"),
    }
    return texts.get(job, job)


def stateText(status) -> str:
    """What the training does now; empty where there is none."""
    job = jobText(status.job)
    step = _("step {step} of {steps}").format(step=status.step, steps=status.steps)
    texts = {
        "preparing": _("Preparing the slices"),
        "training": _("{job}: {step}").format(job=job, step=step),
        "validating": _("{job}: validating at {step}").format(job=job, step=step),
        "paused": _("Paused. {job}: {step}").format(job=job, step=step),
        "finished": _("Finished: the model can be evaluated, exported and used."),
        "stopped": _("Stopped and saved: Continue training goes on from here."),
        "failed": _("The training failed: {message}").format(message=status.message),
        "lost": _("The training's process has ended unexpectedly: {message}").format(
            message=status.message or _("it left no message")
        ),
        "none": "",
    }
    return texts.get(status.state, status.state)


def detailsText(status) -> str:
    """Speed, memory and time left of a training at work, as far as they are known."""
    parts = []
    if status.seconds_left is not None:
        parts.append(_("about {duration} left").format(duration=durationText(status.seconds_left)))
    if status.images_per_second is not None:
        parts.append(_("{number:.1f} images/s").format(number=status.images_per_second))
    if status.device:
        parts.append(_("device {device}").format(device=status.device))
    if status.gpu_memory_mb is not None:
        parts.append(_("GPU memory {gigabytes:.1f} GB").format(gigabytes=status.gpu_memory_mb / 1000))
    return ", ".join(parts)


def durationText(seconds) -> str:
    """Seconds as a person says them."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return _("1 minute") if seconds > 30 else _("half a minute")
    if minutes < 60:
        return _("1 minute") if minutes == 1 else _("{minutes} minutes").format(minutes=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)
    return _("{days} days").format(days=round(hours / 24))


def isError(status) -> bool:
    return status.state in ("failed", "lost")
