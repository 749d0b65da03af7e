"""A recipe that trains the whole cascade in seconds, for tests."""

from dataclasses import replace

from LiverLesionCascadeTrainingLib.recipes import COMPACT, Phase, Recipe


def tiny_recipe(steps: int = 3) -> Recipe:
    """The compact recipe at width 1/32 and 32 x 32, ``steps`` steps a job."""

    def stage(original):
        return replace(original, phases=(Phase(steps, 32),), warmup=1)

    return replace(
        COMPACT,
        width=0.03125,
        pixel_mm=10.0,
        batch=2,
        decoder=False,
        liver=stage(COMPACT.liver),
        liver_fold=stage(COMPACT.liver_fold),
        lesion_image=stage(COMPACT.lesion_image),
        lesion=stage(COMPACT.lesion),
    )
