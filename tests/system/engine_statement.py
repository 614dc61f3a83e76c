#!/usr/bin/env python3
"""engine_statement.py STORE STATEMENT: runs a writing statement on a stopped store.

`playhead sql` reads only, on purpose; a test that needs a store from the future uses this.
"""
import ctypes
import os
import pathlib
import sys


def library():
    cache = pathlib.Path(os.environ.get("PLAYHEAD_CACHE", pathlib.Path.home() / ".cache/playhead"))
    named = os.environ.get("PLAYHEAD_STORE_LIBRARY")
    found = [pathlib.Path(named)] if named else sorted(cache.glob("**/libchdb.so"))
    if not found:
        raise SystemExit("libchdb.so is not in the cache; run ./dev setup")
    return ctypes.CDLL(str(found[-1]))


def main(store, statement):
    chdb = library()
    arguments = [b"clickhouse", b"--path=" + os.fsencode(store)]
    argv = (ctypes.c_char_p * len(arguments))(*arguments)
    chdb.chdb_connect.restype = ctypes.c_void_p
    connection = chdb.chdb_connect(len(arguments), argv)
    if not connection:
        raise SystemExit(f"cannot open {store}")
    pointer = ctypes.cast(connection, ctypes.POINTER(ctypes.c_void_p))[0]
    chdb.chdb_query.restype = ctypes.c_void_p
    chdb.chdb_query.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
    result = chdb.chdb_query(pointer, statement.encode(), b"TSV")
    chdb.chdb_result_error.restype = ctypes.c_char_p
    chdb.chdb_result_error.argtypes = [ctypes.c_void_p]
    error = chdb.chdb_result_error(result)
    chdb.chdb_close_conn.argtypes = [ctypes.c_void_p]
    chdb.chdb_close_conn(connection)
    if error:
        raise SystemExit(error.decode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
