"""What Slicer's extension build packages is what is in the repository. Needs no CMake."""

import pytest
from tools import refresh_cmake_lists as lists

ROOT = (lists.REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", lists.LISTS)
@pytest.mark.parametrize("module", lists.MODULES)
def test_every_library_and_resource_file_is_listed_and_nothing_else(module, kind):
    there, listed = lists.files_of(module)[kind], lists.listed_in(module)[kind]
    missing = [file for file in there if file not in listed]
    gone = [file for file in listed if file not in there]
    remedy = f"in MODULE_PYTHON_{kind} of {module}/CMakeLists.txt. Run: python {lists.SCRIPT}\n"
    assert not missing, f"Lines missing {remedy}{lines(missing)}"
    assert not gone, f"Files that do not exist {remedy}{lines(gone)}"
    assert len(listed) == len(set(listed)), f"A file twice {remedy}"


def lines(files):
    return "\n".join(f"  {file}" for file in files)


@pytest.mark.parametrize("module", lists.MODULES)
def test_the_library_holds_only_what_the_build_installs(module):
    library = lists.REPOSITORY / module / f"{module}Lib"
    others = [
        path.relative_to(lists.REPOSITORY).as_posix()
        for path in library.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    assert not others, "Only .py files of the library are packaged; move these to Resources: " + ", ".join(others)


@pytest.mark.parametrize("module", lists.MODULES)
def test_each_module_is_built_with_its_panel_icon_and_tests(module):
    text = (lists.REPOSITORY / module / "CMakeLists.txt").read_text(encoding="utf-8")
    assert f"set(MODULE_NAME {module})" in text
    assert "slicerMacroBuildScriptedModule(" in text and "WITH_GENERIC_TESTS" in text
    assert "slicer_add_python_unittest(SCRIPT ${MODULE_NAME}.py)" in text
    resources = lists.listed_in(module)["RESOURCES"]
    assert f"Resources/Icons/{module}.png" in resources and f"Resources/UI/{module}.ui" in resources
    assert f"add_subdirectory({module})" in ROOT
