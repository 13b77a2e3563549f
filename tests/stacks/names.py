# SPDX-License-Identifier: Apache-2.0
"""The names of functions as gdb and the demangler spell them, made alike where they mean the same.

gdb takes a name from the debug information where there is any, and puts it together itself:
parameters and return types come and go, lambdas and Rust's impl blocks have other words.
"""

from __future__ import annotations

import re

# Copies that the compiler made of one function.
CLONE = re.compile(r"\.(cold|part\.|isra\.|constprop\.|lto_priv|llvm\.).*| \[clone .*")
HASH = re.compile(r"::h[0-9a-f]{16}$")
LAMBDA = re.compile(r"<lambda\([^()]*\)>|\{lambda\([^()]*\)#\d+\}|\{lambda\}|struct \{\.\.\.\}")
CLOSURE = re.compile(r"\{\{closure\}\}|\{closure(_env)?#\d+\}")
SPACE = re.compile(r"\s+")


def without_groups(name: str, opening: str, closing: str) -> str:
    """The name without what stands in (nested) brackets; operators keep theirs."""
    kept = []
    depth = 0
    for index, character in enumerate(name):
        is_operator = name[:index].endswith(("operator", "operator(", "operator<", "-", "="))
        if character == opening and not is_operator:
            depth += 1
        elif character == closing and depth > 0 and not is_operator:
            depth -= 1
        elif depth == 0:
            kept.append(character)
    return "".join(kept)


def plain_c(name: str) -> str:
    """libc has several names for one function: __GI___qsort_r, __libc_start_main_impl."""
    return CLONE.sub("", name).removeprefix("__GI_").lstrip("_").removesuffix("_impl")


def plain_cplusplus(name: str) -> str:
    name = CLONE.sub("", name).replace("(anonymous namespace)", "{anonymous}")
    name = LAMBDA.sub("{lambda}", name)
    name = without_groups(name, "(", ")")
    name = LAMBDA.sub("{lambda}", name)
    name = re.sub(r"\bconst\b", "", name)
    name = re.sub(r"^\w+ (?=\w+::)", "", name)  # the type that a template returns
    return SPACE.sub("", name).lstrip("_")


def plain_rust(name: str) -> str:
    name = CLOSURE.sub("{closure}", HASH.sub("", CLONE.sub("", name)))
    name = without_groups(name.replace("->", "-"), "<", ">")
    name = re.sub(r".*\{impl#\d+\}", "", name)
    name = SPACE.sub("", name)
    return re.sub(r":{3,}", "::", name).removesuffix("::").lstrip("_:")


PLAIN = {"c": plain_c, "c++": plain_cplusplus, "rust": plain_rust}


def are_alike(language: str, ours: str | None, theirs: str | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    plain = PLAIN[language]
    mine, other = plain(ours), plain(theirs)
    # Of a lambda without a name for the linker gdb has no more.
    bare_lambda = other == "operator()" and mine.endswith("{lambda}::operator()")
    return mine == other or bare_lambda or plain_c(ours) == plain_c(theirs)
