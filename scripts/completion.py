#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the completion of `loophound` for a shell, from the tables of its flags and calls."""

import argparse
import re
import sys
from pathlib import Path

from tables import Flag, calls, flags, formats, names_by_group, subcommands

# What can be completed of a flag's value: words, by its type in options.def or its argument, or
# names that the shell has. tests/e2e/test_completion.py tries all the words.
WORDS = {
    "loop": "auto main none",
    "output": "stderr",
    "format": "auto text json",
    "stack": "0 full",
    "stacks": "auto inline once",
    "rate": "off",
    "follow": "on off",
    "report FORMAT": "text markdown line json",
    "diff FORMAT": "text markdown json",
    "WHEN": "auto on off",
    "WHAT": "place call peer task thread test",
}
FILES = {"output", "files", "file", "FILE", "EVENTS"}
WITH_FILES = ("report", "export", "diff", "rules")  # subcommands that take names of files
WITH_COMMAND = ("run", "doctor")  # those that take a command
DIRECTORIES = {"DIR"}


def words_of(flag: Flag) -> str:
    if (flag.subcommand, flag.name) == ("export", "format"):
        return " ".join(one.name for one in formats())
    kind = flag.kind or flag.argument
    return WORDS.get(f"{flag.subcommand} {kind}", WORDS.get(kind, ""))


def brief(flag: Flag) -> str:
    """The first part of what the flag is for, without anything that a shell would take apart."""
    if flag.is_negative:
        return f"the same as {flag.variable}=off"
    return re.sub(r"['\[\]\\]", "", re.split(r" \(|[;:] ", flag.doc)[0])


def bash_values(flag: Flag) -> str:
    """The command of bash that sets COMPREPLY to the flag's values."""
    kind = flag.kind or flag.argument
    if kind == "calls":
        return '_loophound_calls "$cur"'
    options = f"-W '{words_of(flag)}'" if words_of(flag) else ""
    options += " -f" if kind in FILES else ""
    options += " -d" if kind in DIRECTORIES else ""
    return f'mapfile -t COMPREPLY < <(compgen {options.strip()} -- "$cur")' if options else ":"


def bash_subcommand(name: str) -> str:
    taking = [flag for flag in flags(name) if flag.argument]
    cases = "\n".join(
        f"    {'|'.join(flag.forms)}) {bash_values(flag)}; return ;;" for flag in taking
    )
    with_value = "|".join(form for flag in taking for form in flag.forms) or "''"
    forms = " ".join(form for flag in flags(name) for form in flag.forms if form[1] == "-")
    return f"""
_loophound_{name}_value() {{
    case $1 in
{cases}
    *) return 1 ;;
    esac
}}
_loophound_{name}_takes_value() {{ case $1 in {with_value}) return 0 ;; *) return 1 ;; esac; }}
_loophound_{name}_flags='{forms} --help'
"""


def bash_with_files(name: str) -> str:
    return f"""    {name})
        _loophound_{name}_value "$flag" && return
        mapfile -t COMPREPLY < <(compgen -f -W "$_loophound_{name}_flags" -- "$cur") ;;
"""


def bash_with_command(name: str) -> str:
    return f"""    {name})
        for ((i = 2; i < COMP_CWORD; i++)); do
            case ${{COMP_WORDS[i]}} in
            --) _loophound_command $((i + 1)); return ;;
            =) ((i++)) ;;
            -*)
                _loophound_{name}_takes_value "${{COMP_WORDS[i]}}" || continue
                [[ ${{COMP_WORDS[i+1]}} == = ]] && ((i++))
                ((i++)) ;;
            *) _loophound_command "$i"; return ;;
            esac
        done
        _loophound_{name}_value "$flag" && return
        [[ $cur == -* ]] || {{ _loophound_command "$COMP_CWORD"; return; }}
        mapfile -t COMPREPLY < <(compgen -W "$_loophound_{name}_flags --" -- "$cur") ;;
"""


def bash(groups: dict[str, list[str]]) -> str:
    names = " ".join(
        sorted({name for found in groups.values() for name in found} | {"all", *groups})
    )
    return f"""# bash completion of loophound(1). Made by scripts/completion.py.
{"".join(bash_subcommand(name) for name in (*WITH_COMMAND, *WITH_FILES))}
# all,-file,+fsync: what stands behind the last comma, its sign kept
_loophound_calls() {{
    local before='' item=$1
    [[ $item == *,* ]] && before=${{item%,*}}, item=${{item##*,}}
    [[ $item == [+-]* ]] && before+=${{item:0:1}} item=${{item:1}}
    compopt -o nospace 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -P "$before" -W '{names}' -- "$item")
}}

# The command of `loophound run` or `doctor` begins at this word
_loophound_command() {{
    if declare -F _comp_command_offset >/dev/null; then _comp_command_offset "$1"
    elif declare -F _command_offset >/dev/null; then _command_offset "$1"
    elif ((COMP_CWORD == $1)); then mapfile -t COMPREPLY < <(compgen -c -- "$cur")
    else mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}}

_loophound() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} flag=${{COMP_WORDS[COMP_CWORD-1]}} i
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W '{subcommand_names()} --help --version' -- "$cur")
        return
    fi
    # --flag=value is three words, for = breaks them
    [[ $cur == = ]] && cur=''
    [[ $flag == = ]] && flag=${{COMP_WORDS[COMP_CWORD-2]}}
    case ${{COMP_WORDS[1]}} in
{"".join(map(bash_with_command, WITH_COMMAND)).rstrip()}
{"".join(map(bash_with_files, WITH_FILES)).rstrip()}
    help) mapfile -t COMPREPLY < <(compgen -W '{subcommand_names()}' -- "$cur") ;;
    esac
}}
complete -o filenames -F _loophound loophound
"""


def subcommand_names() -> str:
    return " ".join(row.name for row in subcommands())


def zsh_action(flag: Flag) -> str:
    kind = flag.kind or flag.argument
    if kind == "calls":
        return "_loophound_calls"
    words = f"({words_of(flag)})" if words_of(flag) else ""
    if kind in FILES:
        return f"_alternative 'words\\:word\\:{words}' 'files\\:file\\:_files'".replace("'", '"')
    return "_files -/" if kind in DIRECTORIES else words or " "


def zsh_flag(flag: Flag) -> str:
    value = f":{flag.argument}:{zsh_action(flag)}" if flag.argument else ""
    star = "*" if "repeated" in flag.doc else f"({' '.join(flag.forms)})"
    joined = {form: f"{form}=" if form[1] == "-" else f"{form}+" for form in flag.forms}
    forms = [joined[form] if flag.argument else form for form in flag.forms]
    names = f"{{{','.join(forms)}}}" if len(forms) > 1 else forms[0]
    return f"'{star}'{names}'[{brief(flag)}]{value}'"


def zsh(groups: dict[str, list[str]]) -> str:
    lines = {
        name: " \\\n            ".join(map(zsh_flag, flags(name)))
        for name in (*WITH_COMMAND, *WITH_FILES)
    }
    with_command = "".join(
        f"""        {name})
            _arguments -S {lines[name]} \\
            '(-): :_command_names -e' '*::argument:_normal' ;;
"""
        for name in WITH_COMMAND
    )
    with_files = "".join(
        f"""        {name})
            _arguments -S {lines[name]} \\
            '*:file:_files' ;;
"""
        for name in WITH_FILES
    )
    described = "\n        ".join(f"'{row.name}:{row.doc}'" for row in subcommands())
    arrays = "\n    ".join(
        f"compadd -X {group} -S '' -- {' '.join(names)}" for group, names in groups.items()
    )
    return f"""#compdef loophound
# zsh completion of loophound(1). Made by scripts/completion.py.

# all,-file,+fsync: what stands behind the last comma, its sign kept
_loophound_calls() {{
    compset -P '*,'
    compset -P '[+-]'
    compadd -X groups -S '' -- all {" ".join(groups)}
    {arrays}
}}

_loophound() {{
    local curcontext=$curcontext state line
    local -a subcommands=(
        {described}
    )
    _arguments -C '--help[list the subcommands]' '--version[print the version]' \\
        '1:subcommand:->subcommand' '*::argument:->argument' && return
    case $state in
    subcommand) _describe subcommand subcommands ;;
    argument)
        case $words[1] in
{with_command}{with_files}        help) _describe subcommand subcommands ;;
        esac ;;
    esac
}}

if [[ $funcstack[1] == _loophound ]]; then _loophound "$@"; else compdef _loophound loophound; fi
"""


def fish_flag(flag: Flag, when: str) -> str:
    kind = flag.kind or flag.argument
    parts = ["complete -c loophound", f"-n '{when}'"]
    parts += [f"-s {flag.letter}"] * bool(flag.letter) + [f"-l {flag.name}"]
    if flag.argument:
        parts.append("-r" if kind in FILES else "-x")
    if kind == "calls":
        parts.append("-a '(__fish_complete_list , __loophound_calls)'")
    elif kind in DIRECTORIES:
        parts.append("-a '(__fish_complete_directories)'")
    elif words_of(flag):
        parts.append(f"-a '{words_of(flag)}'")
    return " ".join([*parts, f"-d '{brief(flag)}'"])


def fish(groups: dict[str, list[str]]) -> str:
    listed = "\n".join(
        f"    printf '%s\\t{group}\\n' {sign}{f' {sign}'.join(names)}"
        for group, names in groups.items()
        for sign in ("", "+", "-")
    )
    signed = [f"{sign}{group}" for sign in ("", "+", "-") for group in groups]
    taking = [flag for name in WITH_COMMAND for flag in flags(name) if flag.argument]
    with_value = " ".join(form for flag in taking for form in flag.forms)
    rows = [
        f"complete -c loophound -n __fish_use_subcommand -a {row.name} -d '{row.doc}'"
        for row in subcommands()
    ]
    for name in WITH_COMMAND:
        in_flags = f"__fish_seen_subcommand_from {name}; and not __loophound_has_command"
        rows += [fish_flag(flag, in_flags) for flag in flags(name)]
    for name in WITH_FILES:
        seen = f"__fish_seen_subcommand_from {name}"
        rows += [fish_flag(flag, seen) for flag in flags(name)]
        rows.append(f"complete -c loophound -n '{seen}' -F")
    seen = f"__fish_seen_subcommand_from {' '.join(WITH_COMMAND)}"
    with_command = f"complete -c loophound -n '{seen}' -xa '(__loophound_complete_command)'"
    return f"""# fish completion of loophound(1). Made by scripts/completion.py.

function __loophound_calls
    printf '%s\\tgroup\\n' all {" ".join(signed)}
{listed}
end

# The words behind the flags of `loophound run` or `doctor`, a line each. False: there are none yet.
function __loophound_command
    set -l words (commandline -opc)
    set -e words[1..2]
    while set -q words[1]
        if test "$words[1]" = --
            set -q words[2]; and printf '%s\\n' $words[2..]
            return 0
        else if contains -- $words[1] {with_value}
            set -e words[1]
        else if not string match -q -- '-*' $words[1]
            printf '%s\\n' $words
            return 0
        end
        set -e words[1]
    end
    return 1
end

function __loophound_has_command
    __loophound_command >/dev/null
end

# As if the command had been typed alone.
function __loophound_complete_command
    set -l words (__loophound_command)
    set -l token (commandline -ct)
    set -l line (string join ' ' -- (string escape -- $words) "$token")
    complete -C "$line"
end

complete -c loophound -f
complete -c loophound -n __fish_use_subcommand -l version -d 'print the version'
complete -c loophound -n __fish_use_subcommand -l help -d 'list the subcommands'
{chr(10).join(rows)}
{with_command}
complete -c loophound -n '__fish_seen_subcommand_from help' -a '{subcommand_names()}'
"""


def main() -> int:
    shells = {"bash": bash, "zsh": zsh, "fish": fish}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shell", choices=sorted(shells))
    parser.add_argument("--command", type=Path, required=True, help="the loophound that was built")
    arguments = parser.parse_args()
    sys.stdout.write(shells[arguments.shell](names_by_group(calls(arguments.command))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
