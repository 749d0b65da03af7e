"""The product under fire: mutated files, failing disks, killed processes, long use, load. ``make fire`` runs it all and
writes the figures into ``Docs/reliability.md``; the tests beside this folder run a cut of it."""
