# ph_module(NAME <module> [DEPS <module>…] [LIBS <target>…] [TEST_DEPS <module>…]
#           [TEST_LIBS <target>…])
#
# One static library per folder of src/. Sources are the folder's own *.cc; tests/*_test.cc become
# one test binary `<module>_test`, bench/*_bench.cc one binary each (release only). DEPS are the
# only other modules whose headers may be included; tests/tidy checks every #include against the
# list, which is written to <build>/module_deps.txt.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(PkgConfig REQUIRED)

set_property(GLOBAL PROPERTY PLAYHEAD_MODULE_DEPS "")

function(ph_module)
    cmake_parse_arguments(M "" "NAME" "DEPS;LIBS;TEST_LIBS;TEST_DEPS" ${ARGN})
    string(REPLACE "/" "_" target ${M_NAME})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
    if(sources)
        add_library(ph_${target} STATIC ${sources})
        set(scope PUBLIC)
    else()
        add_library(ph_${target} INTERFACE)
        set(scope INTERFACE)
    endif()
    target_include_directories(ph_${target} ${scope} ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(ph_${target} ${scope} fmt::fmt Threads::Threads ${M_LIBS})
    foreach(dep ${M_DEPS})
        string(REPLACE "/" "_" dep_target ${dep})
        target_link_libraries(ph_${target} ${scope} ph_${dep_target})
    endforeach()
    string(REPLACE ";" " " deps "${M_DEPS}")
    set_property(GLOBAL APPEND PROPERTY PLAYHEAD_MODULE_DEPS "${M_NAME}: ${deps}")

    if(PLAYHEAD_FUZZ)
        return()
    endif()
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tests/*_test.cc)
    if(tests)
        find_package(GTest REQUIRED)
        add_executable(${target}_test ${tests})
        target_link_libraries(${target}_test PRIVATE ph_${target} ${M_TEST_LIBS}
                              GTest::gtest GTest::gmock GTest::gtest_main)
        foreach(dep ${M_TEST_DEPS})
            string(REPLACE "/" "_" dep_target ${dep})
            target_link_libraries(${target}_test PRIVATE ph_${dep_target})
        endforeach()
        target_compile_definitions(${target}_test PRIVATE
            PLAYHEAD_SHARED_DATA="../shared/data" PLAYHEAD_SOURCE_DIR=".")
        # One ctest entry per binary; `./dev test` adds up the gtest counts itself.
        # Tests run in the source folder: paths in them are relative, so that the compiler cache
        # serves every checkout.
        add_test(NAME ${target}_test COMMAND ${target}_test WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
        set_tests_properties(${target}_test PROPERTIES TIMEOUT 600)
    endif()
    file(GLOB benches CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/bench/*_bench.cc)
    if(benches AND CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
        find_package(benchmark REQUIRED)
        foreach(bench ${benches})
            get_filename_component(bench_name ${bench} NAME_WE)
            add_executable(${bench_name} ${bench})
            target_link_libraries(${bench_name} PRIVATE ph_${target} benchmark::benchmark
                                  benchmark::benchmark_main)
        endforeach()
    endif()
endfunction()

# Adds every folder below `root` that has a CMakeLists.txt, in an order that does not matter:
# targets are linked by name.
function(ph_add_modules root)
    file(GLOB_RECURSE lists CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${root}/*/CMakeLists.txt)
    foreach(list ${lists})
        get_filename_component(folder ${list} DIRECTORY)
        add_subdirectory(${folder})
    endforeach()
    get_property(deps GLOBAL PROPERTY PLAYHEAD_MODULE_DEPS)
    string(REPLACE ";" "\n" text "${deps}")
    file(WRITE ${CMAKE_BINARY_DIR}/module_deps.txt "${text}\n")
endfunction()
