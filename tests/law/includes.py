"""Each file has the standard headers of what it names: in itself, or in a header of this tree that it includes.

A standard library may include one of its headers in another, and stop doing so in its next version: what compiled by that
alone stops compiling there."""

import os
import re

import law

FOLDERS = ("include", "src", "tests", "examples", "benchmarks", "docs")
# Where a quoted or angled name of ours is looked for, besides the folder of the file itself.
BASES = ("include", "src", "tests", "benchmarks", "docs/snippets")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
NAMED = re.compile(r"\bstd\s*::\s*(?:ranges\s*::\s*)?(\w+)(\s*\()?|(?<![\w.>:])(errno)\b")


def called(*names):
    """Words that other things bear as well, so they count where they are called."""
    return tuple(name + "(" for name in names)


# What is named, and the headers that give it: the one to include first, then what the standard says includes it too, or
# what every library gives it with. Names that no library has hidden so far are left out.
GIVEN_BY = [
    (("int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t", "int64_t", "uint64_t", "intmax_t", "uintmax_t",
      "uintptr_t"), ("cstdint", "stdint.h")),
    (called("sort", "stable_sort", "is_sorted", "find", "find_if", "find_if_not", "find_first_of", "any_of", "all_of", "none_of",
            "copy", "copy_n", "copy_if", "equal", "reverse", "remove_if", "replace", "count", "count_if", "min_element", "max_element",
            "lower_bound", "upper_bound", "equal_range", "binary_search", "unique", "transform", "fill", "fill_n", "search", "clamp",
            "mismatch", "rotate", "generate", "for_each", "partition", "shuffle", "nth_element", "set_difference",
            "lexicographical_compare", "is_permutation", "contains"), ("algorithm",)),
    (("memcpy", "memcmp", "memmove", "memset", "memchr", "strlen", "strerror"), ("cstring", "string.h")),
    (("runtime_error", "logic_error", "invalid_argument", "out_of_range", "length_error", "domain_error"), ("stdexcept",)),
    (("exception_ptr", "current_exception", "rethrow_exception", "make_exception_ptr", "uncaught_exceptions"), ("exception",)),
    (called("isnan", "isinf", "isfinite", "floor", "ceil", "trunc", "round", "pow", "fabs", "fmod", "ldexp", "frexp", "nextafter",
            "signbit", "log2", "log10", "sqrt"), ("cmath", "math.h")),
    (called("getenv", "abort", "exit", "_Exit", "quick_exit", "atexit", "malloc", "calloc", "free"), ("cstdlib", "stdlib.h")),
    (("printf", "fprintf", "puts", "fputs", "fputc", "snprintf", "fopen", "fclose", "FILE", "fwrite", "fread", "perror"),
     ("cstdio", "stdio.h")),
    (("size_t", "ptrdiff_t", "byte", "nullptr_t", "max_align_t"),
     ("cstddef", "string", "string_view", "vector", "array", "span", "cstring", "cstdio", "cstdlib", "stddef.h")),
    (("unique_ptr", "shared_ptr", "weak_ptr", "make_unique", "make_shared", "enable_shared_from_this"), ("memory",)),
    (("atomic", "atomic_flag", "memory_order_relaxed", "memory_order_acquire"), ("atomic",)),
    (("mutex", "recursive_mutex", "lock_guard", "unique_lock", "scoped_lock", "once_flag", "call_once"), ("mutex",)),
    (("shared_mutex", "shared_lock"), ("shared_mutex",)),
    (("condition_variable", "condition_variable_any"), ("condition_variable",)),
    (("thread", "jthread", "this_thread"), ("thread",)),
    (called("accumulate", "iota", "gcd", "lcm", "reduce"), ("numeric",)),
    (("array",), ("array",)),
    (("optional", "nullopt", "make_optional"), ("optional",)),
    (("variant", "visit", "get_if", "holds_alternative", "monostate"), ("variant",)),
    (("function", "reference_wrapper", "invoke"), ("functional",)),
    (("map", "multimap"), ("map",)),
    (("set", "multiset"), ("set",)),
    (("unordered_map", "unordered_multimap"), ("unordered_map",)),
    (("unordered_set",), ("unordered_set",)),
    (("vector",), ("vector",)),
    (("deque",), ("deque",)),
    (("list",), ("list",)),
    (("span",), ("span",)),
    (("string", "to_string"), ("string",)),
    (("string_view",), ("string_view", "string")),
    (("chrono",), ("chrono",)),
    (("numeric_limits",), ("limits",)),
    (("from_chars", "to_chars", "chars_format"), ("charconv",)),
    (("errc",), ("system_error", "charconv")),
    (("error_code", "error_category", "system_error", "system_category", "generic_category"), ("system_error",)),
    (("cout", "cerr", "clog", "cin"), ("iostream",)),
    (("stringstream", "istringstream", "ostringstream"), ("sstream",)),
    (("ifstream", "ofstream", "fstream"), ("fstream",)),
    (("filesystem",), ("filesystem",)),
    (("mt19937", "mt19937_64", "random_device", "uniform_int_distribution"), ("random",)),
    (("bit_cast", "bit_width", "countl_zero", "countr_zero", "has_single_bit", "popcount", "endian"), ("bit",)),
    (("tuple", "tie", "make_tuple", "forward_as_tuple"), ("tuple",)),
    (("back_inserter", "make_move_iterator", "istreambuf_iterator"), ("iterator",)),
    (("source_location",), ("source_location",)),
    (("stop_token", "stop_source", "stop_callback"), ("stop_token", "thread")),
    (("latch",), ("latch",)),
    (("barrier",), ("barrier",)),
    (("counting_semaphore", "binary_semaphore"), ("semaphore",)),
    (("type_index",), ("typeindex",)),
    (("any", "any_cast", "make_any"), ("any",)),
    (("future", "promise", "async", "packaged_task"), ("future",)),
    (("errno",), ("cerrno", "errno.h")),
]
HEADERS_OF = {name: headers for names, headers in GIVEN_BY for name in names}


def reaches(raw):
    """For each file, the headers of others that it includes, itself or through headers of this tree."""
    names = {str(path): path for path in raw}
    inside, outside = {}, {}
    for path, text in raw.items():
        inside[path], outside[path] = set(), set()
        for name in INCLUDE.findall(text):
            for base in (str(path.parent), *BASES):
                found = names.get(os.path.normpath(f"{base}/{name}"))
                if found:
                    inside[path].add(found)
                    break
            else:
                outside[path].add(name)
    for path in raw:
        seen, ahead = set(), [path]
        while ahead:
            at = ahead.pop()
            if at not in seen:
                seen.add(at)
                ahead.extend(inside[at])
        yield path, set().union(*(outside[each] for each in seen))


def check(root, _arguments):
    report = law.Report("includes")
    raw = {path: (root / path).read_text(encoding="utf-8", errors="replace") for path in law.sources(root, *FOLDERS)}
    for path, reached in reaches(raw):
        text = law.without_comments(raw[path])
        told = set()
        for found in NAMED.finditer(text):
            name = found[1] or found[3]
            headers = HEADERS_OF.get(name) or (HEADERS_OF.get(name + "(") if found[2] else None)
            if headers and headers not in told and not reached.intersection(headers):
                told.add(headers)
                report.breach(path, text.count("\n", 0, found.start()) + 1,
                              f"`{'std::' if found[1] else ''}{name}` without its header", f"#include <{headers[0]}>")
    return report.finish(f"{len(raw)} files")


if __name__ == "__main__":
    law.main(check, __doc__)
