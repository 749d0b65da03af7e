"""Whatever is done in whatever order: what a person painted, erased or reviewed stands."""

from fakes.workbench_machine import WorkbenchMachine
from hypothesis import settings

TestWorkbench = WorkbenchMachine.TestCase
TestWorkbench.settings = settings(max_examples=60, stateful_step_count=15, deadline=None, derandomize=True)
