"""The commands that train and evaluate, one a module: ``add_arguments(parser)`` and ``run(arguments)``."""

#: How cases lie in a folder, for help texts.
LAYOUT = "volume-N.nii.gz with segmentation-N.nii.gz (LiTS layout)"
