#!/usr/bin/env python3
"""engine_select.py STATEMENT: the rows of a statement as JSON lines, from an engine without a store.

An independent reader of the Parquet that an export wrote: `file('…', Parquet)`.
"""
import ctypes
import sys

import engine_statement


def main(statement):
    chdb = engine_statement.library()
    argv = (ctypes.c_char_p * 1)(b"clickhouse")
    chdb.chdb_connect.restype = ctypes.c_void_p
    pointer = ctypes.cast(chdb.chdb_connect(1, argv), ctypes.POINTER(ctypes.c_void_p))[0]
    chdb.chdb_query.restype = ctypes.c_void_p
    chdb.chdb_query.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
    result = chdb.chdb_query(pointer, statement.encode(), b"JSONEachRow")
    for name, kind in (("error", ctypes.c_char_p), ("buffer", ctypes.c_void_p),
                       ("length", ctypes.c_size_t)):
        function = getattr(chdb, f"chdb_result_{name}")
        function.restype = kind
        function.argtypes = [ctypes.c_void_p]
    error = chdb.chdb_result_error(result)
    if error:
        raise SystemExit(error.decode())
    length = chdb.chdb_result_length(result)
    sys.stdout.write(ctypes.string_at(chdb.chdb_result_buffer(result), length).decode())
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
